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
import {
  SubjectAltNameMatcher_SanType,
  TlsParameters_TlsProtocol,
} from "@heddle/envoy/gen/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import { UpstreamTlsContextSchema } from "@heddle/envoy/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { HttpProtocolOptionsSchema } from "@heddle/envoy/gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { typedConfig } from "@heddle/envoy/typed-config.ts";
import { type Init, socketAddress } from "@heddle/engine/emit/common.ts";
import type { CertificateAndKey } from "@heddle/identity/certificate.ts";
import { OWN_SERVICE } from "@heddle/policies/mesh-global-rate-limit/own-service.ts";
import { SERVICE_URI } from "./keys.ts";

export interface ServicePlace {
  /** Host name or IP address, as the proxy reaches its control plane. */
  readonly host: string;
  readonly port: number;
  /** PEM of the authority of services that count. */
  readonly serversPem: string;
  /** What the proxy shows. */
  readonly certificate: CertificateAndKey;
  /** What Envoy has to be told to agree on keys with; absent: it does right by itself. */
  readonly keyExchanges?: readonly string[] | undefined;
}

/** The way of one proxy to the rate limit service of its control plane, with mutual TLS. */
export function rateLimitCluster(place: ServicePlace): EncodedResource {
  const isName = isIP(place.host) === 0;
  const address = socketAddress(place.host, place.port);
  return encodeResource(ClusterSchema, OWN_SERVICE, {
    name: OWN_SERVICE,
    clusterDiscoveryType: {
      case: "type",
      value: isName ? Cluster_DiscoveryType.LOGICAL_DNS : Cluster_DiscoveryType.STATIC,
    },
    // Both families of addresses belong to one instance then, and are tried one after the other: with STRICT_DNS each is
    // an instance, and half of the calls fail where the service listens on IPv4 alone and the name has both.
    ...(isName ? { dnsLookupFamily: Cluster_DnsLookupFamily.ALL } : {}),
    connectTimeout: duration(1_000),
    loadAssignment: {
      clusterName: OWN_SERVICE,
      endpoints: [{ lbEndpoints: [{ hostIdentifier: { case: "endpoint", value: { address } } }] }],
    },
    typedExtensionProtocolOptions: { "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": HTTP2 },
    transportSocket: transportSocket(place),
  });
}

// A service whose machine vanished is noticed by the pings, and then the policy says what to do with requests.
const HTTP2 = any(HttpProtocolOptionsSchema, {
  upstreamProtocolOptions: {
    case: "explicitHttpConfig",
    value: {
      protocolConfig: {
        case: "http2ProtocolOptions",
        value: { connectionKeepalive: { interval: duration(10_000), timeout: duration(2_000) } },
      },
    },
  },
});

function transportSocket({
  serversPem,
  certificate,
  keyExchanges = [],
}: ServicePlace): Init<typeof ClusterSchema>["transportSocket"] & {} {
  return {
    name: "envoy.transport_sockets.tls",
    configType: typedConfig(UpstreamTlsContextSchema, {
      commonTlsContext: {
        tlsParams: {
          tlsMinimumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_3,
          tlsMaximumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_3,
          ecdhCurves: [...keyExchanges],
        },
        alpnProtocols: ["h2"],
        tlsCertificates: [
          { certificateChain: inline(certificate.certificatePem), privateKey: inline(certificate.keyPem) },
        ],
        validationContextType: {
          case: "validationContext",
          value: {
            trustedCa: inline(serversPem),
            matchTypedSubjectAltNames: [
              {
                sanType: SubjectAltNameMatcher_SanType.URI,
                matcher: { matchPattern: { case: "exact", value: SERVICE_URI } },
              },
            ],
          },
        },
      },
    }),
  };
}

function inline(text: string): { specifier: { case: "inlineString"; value: string } } {
  return { specifier: { case: "inlineString", value: text } };
}
