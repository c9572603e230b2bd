import { isIPv6 } from "node:net";
import { ADS_CLUSTER, type AdsServer } from "./ads-cluster.ts";
import type { BootstrapRequest } from "./bootstrap-request.ts";

/**
 * How Envoy opens its ADS stream, with the token as metadata `authorization`: the raw token, as Kuma has it. Envoy reads
 * values there as format strings without an escape, which is no trouble for a JWT: it has no percent sign.
 *
 * A token that lies in a file goes by path: Envoy reads the file again for every connection, so a token that was renewed
 * there counts from the next one on. Only Envoy's Google gRPC client can do that; it costs about 1 MB and 5 threads.
 * Tried instead and left: `%FILE_CONTENT()%` in the metadata (not evaluated there in Envoy 1.40), and the credential
 * injector on the cluster with a file-based secret (does not notice a file that is written in place, `> token`).
 */
export function adsGrpcService(request: BootstrapRequest, settings: AdsServer & ReloadableToken): object {
  const { dataplaneToken: token, dataplaneTokenPath: path } = request;
  if (path !== undefined && readsTokenFile(request, settings)) return googleGrpc(settings, path);
  return {
    envoyGrpc: { clusterName: ADS_CLUSTER, retryPolicy: RECONNECT },
    ...(token === undefined ? {} : { initialMetadata: [{ key: "authorization", value: token }] }),
  };
}

interface ReloadableToken {
  readonly reloadableToken?: boolean;
}

/** Whether Envoy is to read the token from its file, instead of having it in its configuration. */
export function readsTokenFile(request: BootstrapRequest, settings: ReloadableToken): boolean {
  return request.dataplaneTokenPath !== undefined && settings.reloadableToken !== false;
}

/**
 * Envoy's own cap is 30 s: after a long outage a mesh would take that long to be in sync again. Jittered by Envoy, so
 * 2,000 proxies knock 800 times a second while the control plane is away.
 */
const RECONNECT = { retryBackOff: { baseInterval: "0.500s", maxInterval: "5s" } };

const FILE_CREDENTIALS = "envoy.grpc_credentials.file_based_metadata";

function googleGrpc(server: AdsServer, tokenPath: string): object {
  const host = isIPv6(server.xdsHost) ? `[${server.xdsHost}]` : server.xdsHost;
  return {
    googleGrpc: {
      targetUri: `${host}:${server.xdsPort}`,
      statPrefix: ADS_CLUSTER,
      channelCredentials: { sslCredentials: { rootCerts: { inlineString: server.caPem } } },
      credentialsFactoryName: FILE_CREDENTIALS,
      callCredentials: [
        {
          fromPlugin: {
            name: FILE_CREDENTIALS,
            typedConfig: {
              "@type": "type.googleapis.com/envoy.config.grpc_credential.v3.FileBasedMetadataConfig",
              secretData: { filename: tokenPath },
              headerKey: "authorization",
            },
          },
        },
      ],
      channelArgs: { args: GOOGLE_CHANNEL },
    },
    retryPolicy: RECONNECT,
  };
}

/** The library's own defaults: reconnect after up to 120 s, messages up to 4 MiB, no keepalive. */
const GOOGLE_CHANNEL = {
  "grpc.initial_reconnect_backoff_ms": { intValue: 500 },
  "grpc.max_reconnect_backoff_ms": { intValue: 5_000 },
  "grpc.keepalive_time_ms": { intValue: 30_000 },
  "grpc.keepalive_timeout_ms": { intValue: 10_000 },
  "grpc.max_receive_message_length": { intValue: -1 },
};
