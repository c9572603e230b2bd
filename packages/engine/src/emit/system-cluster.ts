import { isIP } from "node:net";
import { any } from "@heddle/envoy/any.ts";
import { duration } from "@heddle/envoy/duration.ts";
import { encodeResource } from "@heddle/envoy/encode-resource.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import {
  Cluster_DiscoveryType,
  Cluster_DnsLookupFamily,
  ClusterSchema,
} from "@heddle/envoy/gen/envoy/config/cluster/v3/cluster_pb.js";
import { UpstreamTlsContextSchema } from "@heddle/envoy/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { HttpProtocolOptionsSchema } from "@heddle/envoy/gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { Memo } from "../memo.ts";
import { type Init, socketAddress } from "./common.ts";

/** Something outside of the mesh that Envoy itself talks to, such as a collector of traces. */
export interface SystemEndpoint {
  readonly address: string;
  readonly port: number;
  readonly http2: boolean;
  /** With TLS; `authorities` is a file of PEM on the proxy's machine. Without it the other side may be anybody. */
  readonly tls?: { readonly authorities: string | undefined } | undefined;
}

/** The cluster of such an endpoint. Many proxies and listeners name the same one: it is encoded once. */
export function systemCluster(name: string, endpoint: SystemEndpoint): EncodedResource {
  return known.get(`${name} ${JSON.stringify(endpoint)}`, () => makeCluster(name, endpoint));
}

const known = new Memo(1_000);

/** `system_<purpose>_<what>`, as Kuma 3 names clusters of its own: lower case, with dashes for all but letters and digits. */
export function systemName(purpose: string, what: string): string {
  const clean = what.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  return `system_${purpose}_${clean.replaceAll(/^-|-$/g, "")}`;
}

function makeCluster(name: string, endpoint: SystemEndpoint): EncodedResource {
  const { address, port, http2, tls } = endpoint;
  const isName = isIP(address) === 0;
  return encodeResource(ClusterSchema, name, {
    name,
    clusterDiscoveryType: {
      case: "type",
      value: isName ? Cluster_DiscoveryType.STRICT_DNS : Cluster_DiscoveryType.STATIC,
    },
    ...(isName ? { dnsLookupFamily: Cluster_DnsLookupFamily.ALL } : {}),
    connectTimeout: duration(CONNECT_MILLIS),
    loadAssignment: {
      clusterName: name,
      endpoints: [
        { lbEndpoints: [{ hostIdentifier: { case: "endpoint", value: { address: socketAddress(address, port) } } }] },
      ],
    },
    ...(http2 ? { typedExtensionProtocolOptions: { [HTTP_OPTIONS]: HTTP2 } } : {}),
    ...(tls === undefined ? {} : { transportSocket: transport(endpoint, tls.authorities) }),
  });
}

// What Kuma gives all clusters of its own.
const CONNECT_MILLIS = 5_000;
const HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
const HTTP2 = any(HttpProtocolOptionsSchema, {
  upstreamProtocolOptions: {
    case: "explicitHttpConfig",
    value: { protocolConfig: { case: "http2ProtocolOptions", value: {} } },
  },
});

function transport(
  { address, http2 }: SystemEndpoint,
  authorities: string | undefined,
): Init<typeof ClusterSchema>["transportSocket"] & {} {
  // An address is no server name in TLS (RFC 6066).
  const sni = isIP(address) === 0 ? address : "";
  const trustedCa = authorities && ({ specifier: { case: "filename", value: authorities } } as const);
  const config = any(UpstreamTlsContextSchema, {
    sni,
    autoSniSanValidation: sni !== "" && trustedCa !== undefined,
    commonTlsContext: {
      alpnProtocols: http2 ? ["h2"] : ["http/1.1"],
      ...(trustedCa ? { validationContextType: { case: "validationContext", value: { trustedCa } } } : {}),
    },
  });
  return { name: "envoy.transport_sockets.tls", configType: { case: "typedConfig", value: config } };
}
