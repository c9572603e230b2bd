import type { Init } from "@heddle/engine/emit/common.ts";
import type { ProxyFacts } from "@heddle/engine/proxy-facts.ts";
import { any } from "@heddle/envoy/any.ts";
import { duration } from "@heddle/envoy/duration.ts";
import { encodeResource } from "@heddle/envoy/encode-resource.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { Cluster_DiscoveryType, ClusterSchema } from "@heddle/envoy/gen/envoy/config/cluster/v3/cluster_pb.js";
import type { HealthCheckSchema } from "@heddle/envoy/gen/envoy/config/core/v3/health_check_pb.js";
import { HealthCheckEventFileSinkSchema } from "@heddle/envoy/gen/envoy/extensions/health_check/event_sinks/file/v3/file_pb.js";
import { HttpProtocolOptionsSchema } from "@heddle/envoy/gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { OPA_CLUSTER, OPA_SOCKET } from "@heddle/model/opa-agent.ts";

/**
 * The cluster of the agent beside Envoy. Its launcher reads in the pipe of access logs that a health check failed, and
 * starts an agent; while there is this cluster, checks keep it there. A launcher that cannot do so gets a cluster
 * without anybody.
 */
export function agentCluster({ node }: ProxyFacts): EncodedResource {
  const { workDir, accessLogPipe } = node;
  const isThere = workDir !== undefined && accessLogPipe !== undefined;
  const path = `${workDir}/${OPA_SOCKET}`;
  const address = { address: { case: "pipe", value: { path } } } as const;
  const endpoints = [{ lbEndpoints: [{ hostIdentifier: { case: "endpoint", value: { address } } as const }] }];
  return encodeResource(ClusterSchema, OPA_CLUSTER, {
    name: OPA_CLUSTER,
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
    connectTimeout: duration(1_000),
    loadAssignment: { clusterName: OPA_CLUSTER, endpoints: isThere ? endpoints : [] },
    ...(isThere ? { healthChecks: [calling(accessLogPipe)] } : {}),
    typedExtensionProtocolOptions: { "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": HTTP2 },
  });
}

const HTTP2 = any(HttpProtocolOptionsSchema, {
  upstreamProtocolOptions: {
    case: "explicitHttpConfig",
    value: { protocolConfig: { case: "http2ProtocolOptions", value: {} } },
  },
});

function calling(eventLogPath: string): Init<typeof HealthCheckSchema> {
  return {
    timeout: duration(1_000),
    interval: duration(10_000),
    noTrafficInterval: duration(10_000),
    unhealthyInterval: duration(1_000),
    unhealthyThreshold: 1,
    healthyThreshold: 1,
    alwaysLogHealthCheckFailures: true,
    healthChecker: { case: "tcpHealthCheck", value: {} },
    eventLogger: [
      {
        name: "envoy.health_check.event_sink.file",
        typedConfig: any(HealthCheckEventFileSinkSchema, { eventLogPath }),
      },
    ],
  };
}
