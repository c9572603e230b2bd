import { CliError } from "../cli-error.ts";
import { elapsed } from "../output/age.ts";

/** No answer within the time a call may take. */
export class TimedOut extends Error {
  override readonly name = "TimedOut";
  readonly code = "TIMED_OUT";

  constructor(millis: number) {
    super(`no answer in ${elapsed(millis)}`);
  }
}

const START_OR_CHOOSE = [
  "Start one here: heddle cp run   (or a whole demo: heddle up --demo)",
  "Use another one: HEDDLE_ADDRESS=http://HOST:5681, or --control-plane NAME (heddle config control-planes list)",
];
const WRONG_PORT = [
  "The REST API speaks HTTP on port 5681 and HTTPS on 5682; 5678 is for proxies",
  "Correct the address: heddle config control-planes list",
];
const VERIFY = [
  "Give the authority that signed its certificate: heddle config control-planes add --ca-cert-file ca.pem --overwrite ...",
];

const STATES: Readonly<Record<string, { readonly state: string; readonly next: readonly string[] }>> = {
  ECONNREFUSED: { state: "nothing listens there", next: START_OR_CHOOSE },
  ENOTFOUND: { state: "no such host", next: START_OR_CHOOSE },
  EAI_AGAIN: { state: "the host name cannot be looked up now", next: START_OR_CHOOSE },
  EHOSTUNREACH: { state: "the host cannot be reached", next: START_OR_CHOOSE },
  ETIMEDOUT: { state: "the host does not answer", next: START_OR_CHOOSE },
  TIMED_OUT: {
    state: "",
    next: ["Allow more time with --api-timeout 5m, or see whether the control plane is well: port 5680, /healthy"],
  },
  ECONNRESET: { state: "it closed the connection", next: WRONG_PORT },
  EPROTO: { state: "it does not speak TLS on this port", next: WRONG_PORT },
  ERR_SSL_WRONG_VERSION_NUMBER: { state: "it does not speak TLS on this port", next: WRONG_PORT },
  ERR_SSL_PACKET_LENGTH_TOO_LONG: { state: "it does not speak TLS on this port", next: WRONG_PORT },
  DEPTH_ZERO_SELF_SIGNED_CERT: { state: "its certificate is signed by itself", next: VERIFY },
  SELF_SIGNED_CERT_IN_CHAIN: { state: "its certificate comes from an unknown authority", next: VERIFY },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: { state: "its certificate comes from an unknown authority", next: VERIFY },
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: { state: "its certificate comes from an unknown authority", next: VERIFY },
  CERT_HAS_EXPIRED: {
    state: "its certificate has expired",
    next: ["Renew it at the control plane: heddle generate tls-certificate --type server ..."],
  },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    state: "its certificate is for another host name",
    next: ["Use a host name of the certificate in the address"],
  },
};

/** The error for a call that got no answer, or only a part of one. */
export function explainUnreachable(address: string, action: string, cause: unknown): CliError {
  const { state, next } = describe(cause);
  return new CliError(`Cannot ${action}: the control plane at ${address} cannot be reached, ${state}`, { next, cause });
}

function describe(cause: unknown): { readonly state: string; readonly next: readonly string[] } {
  const { code = "", message } = firstOf(cause);
  const known = STATES[code];
  if (known !== undefined) return { state: known.state || message, next: known.next };
  // The parser's codes all begin so: what answered is no HTTP server, most likely one that wants TLS.
  if (code.startsWith("HPE_")) return { state: "it does not speak HTTP on this port", next: WRONG_PORT };
  return { state: message || code, next: START_OR_CHOOSE };
}

// A name with several addresses fails with one error for each of them; the first one says enough.
function firstOf(cause: unknown): { readonly code?: string; readonly message: string } {
  if (cause instanceof AggregateError && cause.errors.length > 0) return firstOf(cause.errors[0]);
  return cause instanceof Error ? (cause as NodeJS.ErrnoException) : { message: String(cause) };
}
