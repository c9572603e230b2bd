import { duration } from "@heddle/envoy/duration.ts";
import { encodeResource } from "@heddle/envoy/encode-resource.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { Cluster_DiscoveryType, ClusterSchema } from "@heddle/envoy/gen/envoy/config/cluster/v3/cluster_pb.js";
import type { Init } from "@heddle/engine/emit/common.ts";

/** A socket in the file system, and who knocks there. */
interface Pipe {
  readonly path: string;
  readonly healthCheck?: (Init<typeof ClusterSchema>["healthChecks"] & {})[number];
}

/** The cluster of a socket in the file system. */
export function pipeCluster(name: string, { path, healthCheck }: Pipe): EncodedResource {
  return encodeResource(ClusterSchema, name, {
    name,
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
    connectTimeout: duration(1_000),
    loadAssignment: {
      clusterName: name,
      endpoints: [
        {
          lbEndpoints: [
            {
              hostIdentifier: { case: "endpoint", value: { address: { address: { case: "pipe", value: { path } } } } },
            },
          ],
        },
      ],
    },
    ...(healthCheck === undefined ? {} : { healthChecks: [healthCheck] }),
  });
}
