import { isHttp } from "@heddle/engine/emit/common.ts";
import type { HealthCheck, Probe } from "@heddle/engine/plan/instances.ts";
import { definePolicy } from "@heddle/engine/policy.ts";
import { toMillis } from "@heddle/model/duration.ts";
import type { Protocol } from "@heddle/model/kinds/dataplane.ts";
import { type HealthCheckConf, meshHealthCheckKind } from "./schema.ts";

/** Asks the instances of a destination whether they work, and sends nothing to those that do not. */
export const meshHealthCheck = definePolicy<HealthCheckConf, never>({
  kind: meshHealthCheckKind,
  outbound: (conf, { protocol }) => {
    const probe = probeFor(conf, protocol);
    const panic = conf.healthyPanicThreshold;
    return {
      cluster: {
        healthCheck: probe && healthCheck(conf, probe),
        healthyPanicThreshold: panic === undefined ? undefined : Number(panic),
        localities: conf.failTrafficOnPanic === true ? { by: "zone", failTrafficOnPanic: true } : undefined,
      },
    };
  },
});

// A check is for the protocol it is named after. TCP stands in for another only where that one is switched off by name:
// bytes meant for one service would look like a broken request to the next.
function probeFor({ tcp, http, grpc }: HealthCheckConf, protocol: Protocol): Probe | undefined {
  if (!isHttp(protocol)) return tcpProbe(tcp);
  const own = protocol === "grpc" ? grpc : http;
  if (own?.disabled === true) return tcpProbe(tcp);
  return protocol === "grpc" ? grpcProbe(grpc) : httpProbe(http);
}

function tcpProbe(tcp: HealthCheckConf["tcp"]): Probe | undefined {
  if (tcp === undefined || tcp.disabled === true) return undefined;
  return { by: "tcp", send: tcp.send, receive: tcp.receive ?? [] };
}

function grpcProbe(grpc: HealthCheckConf["grpc"]): Probe | undefined {
  return grpc && { by: "grpc", serviceName: grpc.serviceName, authority: grpc.authority };
}

function httpProbe(http: HealthCheckConf["http"]): Probe | undefined {
  if (http === undefined) return undefined;
  const { path = "/", requestHeadersToAdd: { set = [], add = [] } = {}, expectedStatuses = [] } = http;
  return { by: "http", path, headers: { set, add }, expectedStatuses };
}

function healthCheck(conf: HealthCheckConf, probe: Probe): HealthCheck {
  const { interval = "1m", timeout = "15s", unhealthyThreshold = 5, healthyThreshold = 1 } = conf;
  return {
    probe,
    interval: toMillis(interval),
    timeout: toMillis(timeout),
    unhealthyThreshold,
    healthyThreshold,
    initialJitter: toMillis(conf.initialJitter),
    intervalJitter: toMillis(conf.intervalJitter),
    intervalJitterPercent: conf.intervalJitterPercent,
    noTrafficInterval: toMillis(conf.noTrafficInterval),
    reuseConnection: conf.reuseConnection,
    eventLogPath: conf.eventLogPath,
    logsEveryFailure: conf.alwaysLogHealthCheckFailures,
  };
}
