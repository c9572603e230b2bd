import { collectorFor } from "@heddle/engine/emit/collector.ts";
import { type ProxyFacts, serviceOf } from "@heddle/engine/proxy-facts.ts";
import { duration } from "@heddle/envoy/duration.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { contentHash } from "@heddle/model/canonical-json.ts";
import { toMillis } from "@heddle/model/duration.ts";
import { type Gathering, ourLabels } from "./gathering.ts";
import { pipeCluster } from "./pipe-cluster.ts";
import type { OpenTelemetryConf } from "./schema.ts";
import { script } from "./script.ts";
import { scriptListener } from "./script-listener.ts";

const REFRESH = "60s";
/** How long gathering, and then each message to the collector, may take. */
const GATHER_MILLIS = 10_000;
const PUSH_MILLIS = 5_000;
/** How soon it is tried again while nobody answers behind the socket, as when Envoy has only just started. */
const RETRY_MILLIS = 1_000;
const JITTER_PERCENT = 5;

/**
 * What sends metrics to a collector at an interval; nothing while there is none. Envoy's own exporter can only be part of
 * a bootstrap, and a process beside Envoy takes 50 MB. But Envoy knocks at intervals by itself, wherever it checks health:
 * so the check of a cluster, which nobody else uses, wakes a script behind a socket, and that one sends.
 */
export function openTelemetryPush(
  conf: OpenTelemetryConf,
  proxy: ProxyFacts,
  gathering: Gathering,
): readonly EncodedResource[] {
  const collector = collectorFor(conf, proxy, { policy: "meshmetric", signal: "metrics" });
  const { workDir } = proxy.node;
  if (collector === undefined || workDir === undefined) return [];
  const { name } = collector.cluster;
  const labels = ourLabels(proxy);
  const text = script("otlp", {
    ...gathering.conf,
    labels: Object.fromEntries(labels.map(([key]) => [key, true])),
    labelText: "",
    attributes: labels.map(([key, value]) => [key, escaped(value)]),
    service: escaped(serviceOf(proxy)),
    export: { cluster: name, ...collector.request },
    gatherMillis: GATHER_MILLIS,
    pushMillis: PUSH_MILLIS,
  });
  const path = `${workDir}/kuma-mm-${contentHash(name).slice(0, 8)}.sock`;
  const knock = name.replace("_otel_", "_knock_");
  const refresh = toMillis(conf.refreshInterval ?? REFRESH);
  const address = { address: { case: "pipe", value: { path, mode: 0o600 } } } as const;
  return [
    collector.cluster,
    scriptListener(knock, { address, script: text }),
    pipeCluster(knock, { path, healthCheck: every(refresh) }),
  ];
}

function every(refreshMillis: number): NonNullable<Parameters<typeof pipeCluster>[1]["healthCheck"]> {
  const retry = duration(Math.min(RETRY_MILLIS, refreshMillis));
  return {
    timeout: duration(GATHER_MILLIS + PUSH_MILLIS),
    // Nobody sends requests to this cluster, so only what is for such a one counts.
    interval: duration(refreshMillis),
    noTrafficInterval: retry,
    noTrafficHealthyInterval: duration(refreshMillis),
    // Proxies that were started together do not stay in step.
    intervalJitterPercent: JITTER_PERCENT,
    unhealthyThreshold: 1,
    healthyThreshold: 1,
    reuseConnection: false,
    healthChecker: { case: "httpHealthCheck", value: { path: "/" } },
  };
}

// Scripts read values as pages of metrics have them.
function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
