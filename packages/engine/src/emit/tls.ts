import { any } from "@heddle/envoy/any.ts";
import type { TransportSocketSchema } from "@heddle/envoy/gen/envoy/config/core/v3/base_pb.js";
import {
  SubjectAltNameMatcher_SanType,
  TlsParameters_TlsProtocol,
  type TlsParametersSchema,
} from "@heddle/envoy/gen/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import {
  type CommonTlsContextSchema,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "@heddle/envoy/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { ObjectMemo } from "../memo.ts";
import type { ProxyTls, UpstreamTls } from "../plan/plan.ts";
import { serverTrust } from "../plan/server-trust.ts";
import type { TlsSettings, TlsVersion } from "../plan/tls-settings.ts";
import { FROM_ADS, type Init } from "./common.ts";
import { FROM_SPIRE } from "./spire-agent.ts";

/** The protocol name that tells the mesh's TLS from an application's own. Kuma uses the same. */
export const MESH_ALPN = "kuma";

type TransportSocket = Init<typeof TransportSocketSchema>;
/** Whom to accept at the other end. */
interface Peers {
  readonly names: readonly SanMatch[];
  readonly trustSecret: string;
}
type SanMatch = { readonly case: "exact" | "prefix"; readonly value: string };

/** Terminates mutual TLS: the caller must show a certificate of the mesh. */
export function downstreamTls(tls: ProxyTls, settings: TlsSettings): TransportSocket {
  return downstreamSockets.get(tls, paramsText(settings), () => makeDownstreamTls(tls, settings));
}

/**
 * Every connection shows its certificate anew. Envoy as a server looks at the certificate of a resumed session no more,
 * and gives each a new ticket: whoever was in once would stay for ever, past the end of its certificate and without its key.
 */
export const NO_RESUMPTION: Init<typeof DownstreamTlsContextSchema> = {
  sessionTicketKeysType: { case: "disableStatelessSessionResumption", value: true },
  disableStatefulSessionResumption: true,
};

const downstreamSockets = new ObjectMemo<ProxyTls, TransportSocket>();

function makeDownstreamTls(tls: ProxyTls, settings: TlsSettings): TransportSocket {
  const { trustSecret } = tls;
  const callers = tls.trustPrefixes.map((value): SanMatch => ({ case: "prefix", value }));
  return {
    name: "envoy.transport_sockets.tls",
    configType: {
      case: "typedConfig",
      value: any(DownstreamTlsContextSchema, {
        requireClientCertificate: true,
        ...NO_RESUMPTION,
        commonTlsContext: {
          ...commonContext(tls, { names: callers, trustSecret }, []),
          tlsParams: paramsOf(tls, settings),
        },
      }),
    },
  };
}

/** Starts mutual TLS towards a destination and accepts nobody else there. */
export function upstreamTls(tls: ProxyTls, upstream: UpstreamTls, settings: TlsSettings): TransportSocket {
  return upstreamSockets
    .get(tls, "", () => new ObjectMemo())
    .get(upstream, paramsText(settings), () => makeUpstreamTls(tls, upstream, settings));
}

// A cluster changes with every timeout, its TLS with its service's identities only.
const upstreamSockets = new ObjectMemo<ProxyTls, ObjectMemo<UpstreamTls, TransportSocket>>();

function makeUpstreamTls(tls: ProxyTls, upstream: UpstreamTls, settings: TlsSettings): TransportSocket {
  const { secret: trustSecret } = serverTrust(tls, upstream);
  const names =
    upstream.identities.length > 0
      ? upstream.identities.map((value): SanMatch => ({ case: "exact", value }))
      : tls.trustPrefixes.map((value): SanMatch => ({ case: "prefix", value }));
  return {
    name: "envoy.transport_sockets.tls",
    configType: {
      case: "typedConfig",
      value: any(UpstreamTlsContextSchema, {
        sni: upstream.sni,
        commonTlsContext: {
          ...commonContext(tls, { names, trustSecret }, [MESH_ALPN]),
          tlsParams: paramsOf(tls, settings),
        },
      }),
    },
  };
}

// Both ends are ours, so nothing older than TLS 1.3, or than the newest version that is allowed, is needed by itself.
function paramsOf(
  { keyExchanges = [] }: ProxyTls,
  { maxVersion = "1.3", minVersion = maxVersion, ciphers = [] }: TlsSettings,
): TlsParams {
  return {
    tlsMinimumProtocolVersion: PROTOCOLS[minVersion],
    tlsMaximumProtocolVersion: PROTOCOLS[maxVersion],
    cipherSuites: [...ciphers],
    ecdhCurves: [...keyExchanges],
  };
}
type TlsParams = Init<typeof TlsParametersSchema>;

/** Versions of TLS in Envoy's words. */
export const PROTOCOLS = {
  "1.0": TlsParameters_TlsProtocol.TLSv1_0,
  "1.1": TlsParameters_TlsProtocol.TLSv1_1,
  "1.2": TlsParameters_TlsProtocol.TLSv1_2,
  "1.3": TlsParameters_TlsProtocol.TLSv1_3,
} as const satisfies Record<TlsVersion, TlsParameters_TlsProtocol>;

function paramsText({ minVersion, maxVersion, ciphers }: TlsSettings): string {
  return JSON.stringify([minVersion, maxVersion, ciphers]);
}

function commonContext(
  tls: ProxyTls,
  { names, trustSecret }: Peers,
  alpnProtocols: string[],
): Init<typeof CommonTlsContextSchema> {
  const sdsConfig = tls.agent === undefined ? FROM_ADS : FROM_SPIRE;
  return {
    alpnProtocols,
    tlsCertificateSdsSecretConfigs: [{ name: tls.identitySecret, sdsConfig }],
    validationContextType: {
      case: "combinedValidationContext",
      value: {
        defaultValidationContext: {
          matchTypedSubjectAltNames: names.map((matchPattern) => ({
            sanType: SubjectAltNameMatcher_SanType.URI,
            matcher: { matchPattern },
          })),
        },
        validationContextSdsSecretConfig: { name: trustSecret, sdsConfig },
      },
    },
  };
}
