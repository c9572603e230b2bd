import { any } from "@heddle/envoy/any.ts";
import { duration } from "@heddle/envoy/duration.ts";
import { encodeResource } from "@heddle/envoy/encode-resource.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { Cluster_DiscoveryType, ClusterSchema } from "@heddle/envoy/gen/envoy/config/cluster/v3/cluster_pb.js";
import {
  ApiConfigSource_ApiType,
  ApiVersion,
  type ConfigSourceSchema,
} from "@heddle/envoy/gen/envoy/config/core/v3/config_source_pb.js";
import { HttpProtocolOptionsSchema } from "@heddle/envoy/gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import type { Init } from "./common.ts";

/** Kuma's name for the cluster of the agent. */
const CLUSTER = "system_identity_sds-spire-agent";

/** Where the agent listens when the proxy says nothing else. */
export const DEFAULT_SPIRE_SOCKET = "/run/spire/agent-sockets/spire-agent.sock";

// Envoy's own cap is 30 s: after an outage of the agent new proxies would wait that long.
const RECONNECT = { retryBackOff: { baseInterval: duration(500), maxInterval: duration(5_000) } };

/**
 * Secrets come from the agent: it knows the state of the world only, no deltas. There is no timeout after which Envoy
 * would go on without them, so that ports stay closed until their certificate is there.
 */
export const FROM_SPIRE = {
  resourceApiVersion: ApiVersion.V3,
  initialFetchTimeout: duration(0),
  configSourceSpecifier: {
    case: "apiConfigSource",
    value: {
      apiType: ApiConfigSource_ApiType.GRPC,
      transportApiVersion: ApiVersion.V3,
      setNodeOnFirstMessageOnly: true,
      grpcServices: [
        { targetSpecifier: { case: "envoyGrpc", value: { clusterName: CLUSTER, retryPolicy: RECONNECT } } },
      ],
    },
  },
} as const satisfies Init<typeof ConfigSourceSchema>;

/** The agent at a unix socket of the proxy's machine. `timeout`: milliseconds that connecting may take. */
export function spireAgentCluster(socket: string, timeout: number): EncodedResource {
  return encodeResource(ClusterSchema, CLUSTER, {
    name: CLUSTER,
    connectTimeout: duration(timeout),
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
    loadAssignment: {
      clusterName: CLUSTER,
      endpoints: [
        {
          lbEndpoints: [
            {
              hostIdentifier: {
                case: "endpoint",
                value: { address: { address: { case: "pipe", value: { path: socket } } } },
              },
            },
          ],
        },
      ],
    },
    typedExtensionProtocolOptions: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": any(HttpProtocolOptionsSchema, {
        upstreamProtocolOptions: {
          case: "explicitHttpConfig",
          value: { protocolConfig: { case: "http2ProtocolOptions", value: {} } },
        },
      }),
    },
  });
}
