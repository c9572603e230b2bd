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
    if (probe === undefined) return {};
    return {
      cluster: {
        healthCheck: healthCheck(conf, probe),
        healthyPanicThreshold: panic === undefined ? undefined : Number(panic),
        failTrafficOnPanic: conf.failTrafficOnPanic,
      },
    };
  },
});

// The check that knows most about the protocol is taken; a connection that opens tells least, and works for all.
function probeFor(conf: HealthCheckConf, protocol: Protocol): Probe | undefined {
  const grpc = protocol === "grpc" ? enabled(conf.grpc) : undefined;
  if (grpc !== undefined) return { by: "grpc", serviceName: grpc.serviceName, authority: grpc.authority };
  const http = isHttp(protocol) ? enabled(conf.http) : undefined;
  if (http !== undefined) return httpProbe(http);
  const tcp = enabled(conf.tcp);
  return tcp && { by: "tcp", send: tcp.send, receive: tcp.receive ?? [] };
}

function enabled<Check extends { readonly disabled?: boolean | undefined }>(check?: Check): Check | undefined {
  return check?.disabled === true ? undefined : check;
}

function httpProbe({ path = "/", requestHeadersToAdd, expectedStatuses = [] }: HealthCheckConf["http"] & {}): Probe {
  const { set = [], add = [] } = requestHeadersToAdd ?? {};
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
