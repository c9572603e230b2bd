import { any } from "@heddle/envoy/any.ts";
import type { TransportSocketSchema } from "@heddle/envoy/gen/envoy/config/core/v3/base_pb.js";
import {
  SubjectAltNameMatcher_SanType,
  TlsParameters_TlsProtocol,
} from "@heddle/envoy/gen/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import {
  type CommonTlsContextSchema,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "@heddle/envoy/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { idOf, ObjectMemo } from "../memo.ts";
import type { ProxyTls, UpstreamTls } from "../plan/plan.ts";
import { FROM_ADS, type Init } from "./common.ts";

/** The protocol name that tells the mesh's TLS from an application's own. Kuma uses the same. */
export const MESH_ALPN = "kuma";

type TransportSocket = Init<typeof TransportSocketSchema>;
type SanMatch = { readonly case: "exact" | "prefix"; readonly value: string };

/** Terminates mutual TLS: the caller must show a certificate of the mesh. */
export function downstreamTls(tls: ProxyTls): TransportSocket {
  return downstreamSockets.get(tls, "", () => makeDownstreamTls(tls));
}

const downstreamSockets = new ObjectMemo<ProxyTls, TransportSocket>();

function makeDownstreamTls(tls: ProxyTls): TransportSocket {
  const callers = tls.trustPrefixes.map((value): SanMatch => ({ case: "prefix", value }));
  return {
    name: "envoy.transport_sockets.tls",
    configType: {
      case: "typedConfig",
      value: any(DownstreamTlsContextSchema, {
        requireClientCertificate: true,
        commonTlsContext: commonContext(tls, callers, []),
      }),
    },
  };
}

/** Starts mutual TLS towards a destination and accepts nobody else there. */
export function upstreamTls(tls: ProxyTls, upstream: UpstreamTls): TransportSocket {
  return upstreamSockets.get(upstream, String(idOf(tls)), () => makeUpstreamTls(tls, upstream));
}

// A cluster changes with every timeout, its TLS with its service's identities only.
const upstreamSockets = new ObjectMemo<UpstreamTls, TransportSocket>();

function makeUpstreamTls(tls: ProxyTls, upstream: UpstreamTls): TransportSocket {
  const servers =
    upstream.identities.length > 0
      ? upstream.identities.map((value): SanMatch => ({ case: "exact", value }))
      : tls.trustPrefixes.map((value): SanMatch => ({ case: "prefix", value }));
  return {
    name: "envoy.transport_sockets.tls",
    configType: {
      case: "typedConfig",
      value: any(UpstreamTlsContextSchema, {
        sni: upstream.sni,
        commonTlsContext: commonContext(tls, servers, [MESH_ALPN]),
      }),
    },
  };
}

function commonContext(
  tls: ProxyTls,
  peers: readonly SanMatch[],
  alpnProtocols: string[],
): Init<typeof CommonTlsContextSchema> {
  return {
    // Both ends are ours, so nothing older than TLS 1.3 is ever needed.
    tlsParams: {
      tlsMinimumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_3,
      tlsMaximumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_3,
    },
    alpnProtocols,
    tlsCertificateSdsSecretConfigs: [{ name: tls.identitySecret, sdsConfig: FROM_ADS }],
    validationContextType: {
      case: "combinedValidationContext",
      value: {
        defaultValidationContext: {
          matchTypedSubjectAltNames: peers.map((matchPattern) => ({
            sanType: SubjectAltNameMatcher_SanType.URI,
            matcher: { matchPattern },
          })),
        },
        validationContextSdsSecretConfig: { name: tls.trustSecret, sdsConfig: FROM_ADS },
      },
    },
  };
}
