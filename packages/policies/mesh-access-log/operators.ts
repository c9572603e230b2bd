/** What a command operator of Envoy's access logs takes between its name and the closing percent sign. */
export interface Operator {
  /** What stands in parentheses. */
  readonly parameters: "none" | "optional" | "required";
  /** Whether `:123` may cut the value. */
  readonly length: boolean;
  /** Says what is wrong with what stands in parentheses; undefined: nothing. */
  readonly check?: (parameters: string) => string | undefined;
}

/** Kuma's own, which the control plane replaces before Envoy sees the format. */
export const KUMA_OPERATORS = [
  "KUMA_MESH",
  "KUMA_ZONE",
  "KUMA_WORKLOAD",
  "KUMA_SOURCE_SERVICE",
  "KUMA_SOURCE_ADDRESS",
  "KUMA_SOURCE_ADDRESS_WITHOUT_PORT",
  "KUMA_DESTINATION_SERVICE",
  "KUMA_TRAFFIC_DIRECTION",
] as const;
export type KumaOperator = (typeof KUMA_OPERATORS)[number];

const plain: Operator = { parameters: "none", length: false };
const optional: Operator = { parameters: "optional", length: false };
const cut: Operator = { parameters: "required", length: true };
const header: Operator = { ...cut, check: checkHeader };
const time: Operator = { ...optional, check: checkTime };
const filterState: Operator = { ...cut, check: checkFilterState };

/** Every operator of Envoy 1.40. operators.test.ts asks a real Envoy whether this is so. */
export const ENVOY_OPERATORS: Readonly<Record<string, Operator>> = {
  ...all(
    `ACCESS_LOG_TYPE BYTES_RECEIVED BYTES_RETRANSMITTED BYTES_SENT CONNECTION_ID CONNECTION_TERMINATION_DETAILS
    CUSTOM_FLAGS DURATION FILTER_CHAIN_NAME GRPC_STATUS_NUMBER HOSTNAME LISTENER_NAME LOCAL_REPLY_BODY
    PACKETS_RETRANSMITTED PROTOCOL REQUESTED_SERVER_NAME REQUEST_DURATION REQUEST_HEADERS_BYTES REQUEST_TX_DURATION
    RESPONSE_CODE RESPONSE_DURATION RESPONSE_FLAGS RESPONSE_FLAGS_LONG RESPONSE_HEADERS_BYTES RESPONSE_TRAILERS_BYTES
    RESPONSE_TX_DURATION ROUNDTRIP_DURATION ROUTE_NAME ROUTE_RESOLUTION_COUNT ROUTE_RESOLUTION_TIME_US SPAN_ID STREAM_ID
    TLS_JA3_FINGERPRINT TLS_JA4_FINGERPRINT TRACE_ID UNIQUE_ID VIRTUAL_CLUSTER_NAME`,
    plain,
  ),
  ...all(
    `DOWNSTREAM_CX_RTT DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT
    DOWNSTREAM_DETECTED_CLOSE_TYPE DOWNSTREAM_DIRECT_LOCAL_ADDRESS DOWNSTREAM_DIRECT_LOCAL_ADDRESS_ENDPOINT_ID
    DOWNSTREAM_DIRECT_LOCAL_PORT DOWNSTREAM_DIRECT_REMOTE_ADDRESS DOWNSTREAM_DIRECT_REMOTE_PORT
    DOWNSTREAM_HANDSHAKE_DURATION DOWNSTREAM_HEADER_BYTES_RECEIVED DOWNSTREAM_HEADER_BYTES_SENT DOWNSTREAM_LOCAL_ADDRESS
    DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID DOWNSTREAM_LOCAL_CLOSE_REASON DOWNSTREAM_LOCAL_DNS_SAN
    DOWNSTREAM_LOCAL_EMAIL_SAN DOWNSTREAM_LOCAL_IP_SAN DOWNSTREAM_LOCAL_OTHERNAME_SAN DOWNSTREAM_LOCAL_PORT
    DOWNSTREAM_LOCAL_SUBJECT DOWNSTREAM_LOCAL_URI_SAN DOWNSTREAM_PEER_CERT DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1
    DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256 DOWNSTREAM_PEER_CHAIN_SERIALS DOWNSTREAM_PEER_DNS_SAN
    DOWNSTREAM_PEER_EMAIL_SAN DOWNSTREAM_PEER_FINGERPRINT_1 DOWNSTREAM_PEER_FINGERPRINT_256 DOWNSTREAM_PEER_IP_SAN
    DOWNSTREAM_PEER_ISSUER DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256 DOWNSTREAM_PEER_ISSUER_SERIAL
    DOWNSTREAM_PEER_OTHERNAME_SAN DOWNSTREAM_PEER_SERIAL DOWNSTREAM_PEER_SUBJECT DOWNSTREAM_PEER_URI_SAN
    DOWNSTREAM_REMOTE_ADDRESS DOWNSTREAM_REMOTE_PORT DOWNSTREAM_TLS_CIPHER DOWNSTREAM_TLS_GROUP
    DOWNSTREAM_TLS_SESSION_ID DOWNSTREAM_TLS_VERSION DOWNSTREAM_TRANSPORT_FAILURE_REASON DOWNSTREAM_WIRE_BYTES_RECEIVED
    DOWNSTREAM_WIRE_BYTES_SENT`,
    plain,
  ),
  ...all(
    `UPSTREAM_CLUSTER UPSTREAM_CLUSTER_RAW UPSTREAM_CONNECTION_ID UPSTREAM_CONNECTION_IDS_ATTEMPTED
    UPSTREAM_CONNECTION_POOL_READY_DURATION UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED
    UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT UPSTREAM_DETECTED_CLOSE_TYPE UPSTREAM_HEADER_BYTES_RECEIVED
    UPSTREAM_HEADER_BYTES_SENT UPSTREAM_HOST UPSTREAM_HOSTS_ATTEMPTED UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT
    UPSTREAM_HOST_NAME UPSTREAM_HOST_NAMES_ATTEMPTED UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT
    UPSTREAM_HOST_NAME_WITHOUT_PORT UPSTREAM_LOCAL_ADDRESS UPSTREAM_LOCAL_CLOSE_REASON UPSTREAM_LOCAL_DNS_SAN
    UPSTREAM_LOCAL_IP_SAN UPSTREAM_LOCAL_PORT UPSTREAM_LOCAL_URI_SAN UPSTREAM_PEER_CERT UPSTREAM_PEER_DNS_SAN
    UPSTREAM_PEER_IP_SAN UPSTREAM_PEER_ISSUER UPSTREAM_PEER_SUBJECT UPSTREAM_PEER_URI_SAN UPSTREAM_PROTOCOL
    UPSTREAM_REMOTE_ADDRESS UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID UPSTREAM_REMOTE_PORT UPSTREAM_REQUEST_ATTEMPT_COUNT
    UPSTREAM_SERVER_NAME UPSTREAM_TLS_CIPHER UPSTREAM_TLS_GROUP UPSTREAM_TLS_SESSION_ID UPSTREAM_TLS_VERSION
    UPSTREAM_TRANSPORT_FAILURE_REASON UPSTREAM_WIRE_BYTES_RECEIVED UPSTREAM_WIRE_BYTES_SENT`,
    plain,
  ),
  ...all(
    `DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT
    DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT RESPONSE_CODE_DETAILS
    UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT`,
    optional,
  ),
  ...all(
    `DOWNSTREAM_PEER_CERT_V_END DOWNSTREAM_PEER_CERT_V_START EMIT_TIME EMIT_TIME_LOCAL START_TIME START_TIME_LOCAL
    UPSTREAM_PEER_CERT_V_END UPSTREAM_PEER_CERT_V_START`,
    time,
  ),
  ...all("REQ RESP TRAILER REQUEST_HEADER RESPONSE_HEADER RESPONSE_TRAILER STREAM_INFO_REQ", header),
  ...all("DYNAMIC_METADATA QUERY_PARAM", cut),
  ENVIRONMENT: { ...cut, check: checkEnvironment },
  ...all("CLUSTER_METADATA UPSTREAM_METADATA", { parameters: "required", length: false }),
  ...all("FILTER_STATE UPSTREAM_FILTER_STATE", filterState),
  // What an expression means is for Envoy to say; one that it cannot read comes back as a refused listener.
  CEL: cut,
  COALESCE: { ...cut, check: checkCoalesce },
  COMMON_DURATION: { parameters: "required", length: false, check: checkDuration },
  GRPC_STATUS: { ...optional, check: oneOf("", "CAMEL_STRING", "SNAKE_STRING", "NUMBER") },
  METADATA: { ...cut, check: checkMetadata },
  PATH: { parameters: "optional", length: true, check: checkPath },
  QUERY_PARAMS: { parameters: "optional", length: true, check: oneOf("", "ORIG", "DECODED") },
  XFCC_VALUE: { ...cut, check: checkForwarded },
};

function all(names: string, operator: Operator): Record<string, Operator> {
  return Object.fromEntries(names.split(/\s+/).map((name) => [name, operator]));
}

function oneOf(...known: readonly string[]): (parameters: string) => string | undefined {
  const named = known.filter((word) => word !== "");
  return (parameters) => (known.includes(parameters) ? undefined : `takes ${named.join(" or ")} in its parentheses`);
}

function checkHeader(parameters: string): string | undefined {
  const names = parameters.split("?");
  if (names.length > 2) return "takes a header and one alternative: X?Y";
  const wrong = names.find((name) => !/^:?[!#$%&'*+\-.^_`|~0-9A-Za-z]*$/.test(name));
  return wrong === undefined ? undefined : `takes the name of a header, which "${wrong}" is not`;
}

function checkTime(parameters: string): string | undefined {
  return /%[-_0^#]*\d*n/.test(parameters) ? "must not have a line break (%n) in its time" : undefined;
}

function checkFilterState(parameters: string): string | undefined {
  const [, how, field, ...rest] = parameters.split(":");
  if (how === undefined || ((how === "PLAIN" || how === "TYPED") && field === undefined)) return undefined;
  if (how === "FIELD" && field !== undefined && field !== "" && rest.length === 0) return undefined;
  return "takes a key, and then PLAIN, TYPED or FIELD:name: key:PLAIN";
}

function checkDuration(parameters: string): string | undefined {
  const [from, to, unit = "ms", ...rest] = parameters.split(":");
  if (from && to && ["ms", "us", "ns"].includes(unit) && rest.length === 0) return undefined;
  return "takes two moments and perhaps ms, us or ns: DS_RX_BEG:DS_TX_END:us";
}

function checkPath(parameters: string): string | undefined {
  if (/^(WQ|NQ)?(:(ORIG|PATH|ORIG_OR_PATH))?$/.test(parameters)) return undefined;
  return "takes WQ or NQ, and then ORIG, PATH or ORIG_OR_PATH: NQ:ORIG";
}

const METADATA = ["DYNAMIC", "CLUSTER", "ROUTE", "UPSTREAM_HOST", "LISTENER", "VIRTUAL_HOST", "LISTENER_FILTER_CHAIN"];

function checkMetadata(parameters: string): string | undefined {
  const [type = ""] = parameters.split(":");
  return METADATA.includes(type) ? undefined : `takes ${METADATA.join(", ")} and a path: ROUTE:envoy.lb:zone`;
}

const FORWARDED = ["by", "hash", "cert", "chain", "subject", "uri", "dns"];

function checkForwarded(parameters: string): string | undefined {
  return FORWARDED.includes(parameters.toLowerCase()) ? undefined : `takes one of ${FORWARDED.join(", ")}`;
}

// Whoever writes a policy is not always who runs the proxy, whose environment may hold credentials of its machine.
function checkEnvironment(name: string): string | undefined {
  if (/^(HOSTNAME|LOG_\w+|(POD|NODE|HOST|INSTANCE)_(NAME|NAMESPACE|IP))$/.test(name)) return undefined;
  return "takes HOSTNAME, POD_NAME, POD_NAMESPACE, POD_IP, the same of NODE, HOST and INSTANCE, or what begins with LOG_";
}

function checkCoalesce(parameters: string): string | undefined {
  const message = 'takes JSON such as {"operators": [{"command": "REQ", "param": ":AUTHORITY"}, "HOSTNAME"]}';
  try {
    const { operators } = JSON.parse(parameters) as { readonly operators?: unknown };
    if (!Array.isArray(operators) || operators.length === 0) return message;
    return operators.map(checkAlternative).find((reason) => reason !== undefined);
  } catch {
    return message;
  }
}

/** One value of a COALESCE: `{"command": "REQ", "param": ":AUTHORITY"}`, or a name alone. */
function checkAlternative(alternative: unknown): string | undefined {
  const { command, param } = (alternative ?? {}) as { readonly command?: unknown; readonly param?: unknown };
  return command === "ENVIRONMENT" ? checkEnvironment(String(param)) : undefined;
}
