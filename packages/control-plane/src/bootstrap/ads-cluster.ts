import { isIP } from "node:net";

/** How a proxy reaches its control plane. */
export interface AdsServer {
  /** Host name or IP address, as the launcher reached it. */
  readonly xdsHost: string;
  readonly xdsPort: number;
  /** PEM of the authorities that may have signed the control plane's certificate. */
  readonly caPem: string;
  /** What Envoy has to be told to agree on keys with; absent: it does right by itself. */
  readonly keyExchanges?: readonly string[] | undefined;
}

export const ADS_CLUSTER = "system_ads";
const VALIDATION_SECRET = "cp_validation_ctx";

/** The one cluster Envoy has before its control plane speaks: the control plane. */
export function adsCluster(server: AdsServer, httpFilters: readonly object[]): object {
  return {
    name: ADS_CLUSTER,
    type: isIP(server.xdsHost) === 0 ? "LOGICAL_DNS" : "STATIC",
    // Both families, raced: "localhost" is ::1 first on most machines, and a control plane may listen on IPv4 alone. With
    // STRICT_DNS each address would be a host of its own, and every other try would go to one where nobody listens.
    ...(isIP(server.xdsHost) === 0 ? { dnsLookupFamily: "ALL" } : {}),
    connectTimeout: "1s",
    loadAssignment: {
      clusterName: ADS_CLUSTER,
      endpoints: [{ lbEndpoints: [{ endpoint: { address: socketAddress(server) } }] }],
    },
    typedExtensionProtocolOptions: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        explicitHttpConfig: {
          // A control plane whose machine vanished is noticed, and a live one is not kept busy with pings.
          http2ProtocolOptions: { connectionKeepalive: { interval: "30s", timeout: "10s" } },
        },
        ...(httpFilters.length === 0 ? {} : { httpFilters }),
      },
    },
    transportSocket: {
      name: "envoy.transport_sockets.tls",
      typedConfig: {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        // An address is no server name in TLS (RFC 6066); the certificate is matched against it all the same.
        ...(isIP(server.xdsHost) === 0 ? { sni: server.xdsHost } : {}),
        commonTlsContext: {
          // Envoy as a client goes no further than 1.2 by itself.
          tlsParams: {
            tlsMinimumProtocolVersion: "TLSv1_2",
            tlsMaximumProtocolVersion: "TLSv1_3",
            ...(server.keyExchanges === undefined ? {} : { ecdhCurves: server.keyExchanges }),
          },
          validationContextSdsSecretConfig: { name: VALIDATION_SECRET },
        },
      },
    },
  };
}

/** Whom the proxy takes for its control plane: a certificate of these authorities with exactly this name. */
export function cpValidationSecret(server: AdsServer): object {
  return {
    name: VALIDATION_SECRET,
    validationContext: {
      trustedCa: { inlineString: server.caPem },
      matchTypedSubjectAltNames: [
        { sanType: isIP(server.xdsHost) === 0 ? "DNS" : "IP_ADDRESS", matcher: { exact: server.xdsHost } },
      ],
    },
  };
}

function socketAddress(server: AdsServer): object {
  return { socketAddress: { address: server.xdsHost, portValue: server.xdsPort } };
}
