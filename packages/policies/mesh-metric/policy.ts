import { definePolicy } from "@heddle/engine/policy.ts";
import { gatheringOf } from "./gathering.ts";
import { meshMetricKind } from "./kind.ts";
import { openTelemetryPush } from "./open-telemetry.ts";
import { prometheusListener } from "./prometheus.ts";
import type { MetricConf } from "./schema.ts";

/** Metrics of proxies and their applications, for Prometheus and OpenTelemetry. */
export const meshMetric = definePolicy<never, never, MetricConf>({
  kind: meshMetricKind,
  proxy: ({ value }, proxy) => {
    const gathering = gatheringOf(value, proxy);
    if (gathering === undefined) return {};
    const ends = (value.backends ?? []).flatMap(({ prometheus, openTelemetry }) => [
      ...(prometheus === undefined ? [] : prometheusListener(prometheus, proxy, gathering)),
      ...(openTelemetry === undefined ? [] : openTelemetryPush(openTelemetry, proxy, gathering)),
    ]);
    return ends.length === 0 ? {} : { resources: [...gathering.clusters, ...ends] };
  },
});
