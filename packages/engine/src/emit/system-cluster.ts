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
import type { DataSourceSchema } from "@heddle/envoy/gen/envoy/config/core/v3/base_pb.js";
import { SubjectAltNameMatcher_SanType } from "@heddle/envoy/gen/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import type { StringMatcherSchema } from "@heddle/envoy/gen/envoy/type/matcher/v3/string_pb.js";
import { UpstreamTlsContextSchema } from "@heddle/envoy/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { HttpProtocolOptionsSchema } from "@heddle/envoy/gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { TextMemo } from "../memo.ts";
import { type Init, socketAddress } from "./common.ts";

/** Something outside of the mesh that Envoy itself talks to, such as a collector of traces. */
export interface SystemEndpoint {
  readonly address: string;
  readonly port: number;
  readonly http2: boolean;
  readonly tls?: SystemTls | undefined;
}

/** Whom to trust at the other side: authorities in a file of PEM on the proxy's machine, or in PEM themselves. */
export interface SystemTls {
  readonly authorities: string | undefined;
  readonly authoritiesPem?: string | undefined;
  /** Without anybody to trust, nobody is talked to; otherwise the other side may then be anybody. */
  readonly mustVerify?: boolean;
}

/** The cluster of such an endpoint. Many proxies and listeners name the same one: it is encoded once. */
export function systemCluster(name: string, endpoint: SystemEndpoint): EncodedResource {
  return known.get(`${name} ${JSON.stringify(endpoint)}`, () => makeCluster(name, endpoint));
}

const known = new TextMemo(1_000);

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
      endpoints: isUnverifiable(tls)
        ? []
        : [
            {
              lbEndpoints: [{ hostIdentifier: { case: "endpoint", value: { address: socketAddress(address, port) } } }],
            },
          ],
    },
    ...(http2 ? { typedExtensionProtocolOptions: { [HTTP_OPTIONS]: HTTP2 } } : {}),
    ...(tls === undefined ? {} : { transportSocket: transport(endpoint, tls) }),
  });
}

function isUnverifiable(tls: SystemTls | undefined): boolean {
  return tls?.mustVerify === true && tls.authorities === undefined && tls.authoritiesPem === undefined;
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
  { authorities, authoritiesPem }: SystemTls,
): Init<typeof ClusterSchema>["transportSocket"] & {} {
  // An address is no server name in TLS (RFC 6066).
  const isName = isIP(address) === 0;
  const trustedCa = sourceOf(authorities, authoritiesPem);
  const subject = { sanType: SubjectAltNameMatcher_SanType.IP_ADDRESS, matcher: exactly(address) };
  const matchTypedSubjectAltNames = isName ? [] : [subject];
  const config = any(UpstreamTlsContextSchema, {
    sni: isName ? address : "",
    autoSniSanValidation: isName && trustedCa !== undefined,
    commonTlsContext: {
      alpnProtocols: http2 ? ["h2"] : ["http/1.1"],
      ...(trustedCa && {
        validationContextType: { case: "validationContext", value: { trustedCa, matchTypedSubjectAltNames } },
      }),
    },
  });
  return { name: "envoy.transport_sockets.tls", configType: { case: "typedConfig", value: config } };
}

function sourceOf(file: string | undefined, pem: string | undefined): Init<typeof DataSourceSchema> | undefined {
  if (pem !== undefined) return { specifier: { case: "inlineString", value: pem } };
  return file === undefined ? undefined : { specifier: { case: "filename", value: file } };
}

function exactly(value: string): Init<typeof StringMatcherSchema> {
  return { matchPattern: { case: "exact", value } };
}
