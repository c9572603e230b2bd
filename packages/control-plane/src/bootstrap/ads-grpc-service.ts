import { ADS_CLUSTER } from "./ads-cluster.ts";
import type { BootstrapRequest } from "./bootstrap-request.ts";
import { hasTokenSecret } from "./token-secret.ts";

/**
 * How Envoy opens its ADS stream, with the token as metadata `authorization`: the raw token, as Kuma has it. Envoy reads
 * values there as format strings without an escape, which is no trouble for a JWT: it has no percent sign.
 */
export function adsGrpcService(request: BootstrapRequest): object {
  const { dataplaneToken: token } = request;
  const initialMetadata =
    token === undefined || hasTokenSecret(request) ? [] : [{ key: "authorization", value: token }];
  return {
    envoyGrpc: { clusterName: ADS_CLUSTER, retryPolicy: RECONNECT },
    ...(initialMetadata.length === 0 ? {} : { initialMetadata }),
  };
}

/**
 * Envoy's own cap is 30 s: after a long outage a mesh would take that long to be in sync again. Jittered by Envoy, so
 * 2,000 proxies knock 800 times a second while the control plane is away.
 */
const RECONNECT = { retryBackOff: { baseInterval: "0.500s", maxInterval: "5s" } };
