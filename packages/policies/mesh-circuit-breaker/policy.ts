import type { CircuitBreakers, OutlierDetection } from "@heddle/engine/plan/instances.ts";
import type { Change } from "@heddle/engine/plan/plan.ts";
import { definePolicy } from "@heddle/engine/policy.ts";
import { toMillis } from "@heddle/model/duration.ts";
import { type CircuitBreakerConf, meshCircuitBreakerKind, MOST } from "./schema.ts";

/** How much may be under way to a destination or to the application, and which instances are left out for a while. */
export const meshCircuitBreaker = definePolicy<CircuitBreakerConf, CircuitBreakerConf>({
  kind: meshCircuitBreakerKind,
  outbound: changeFor,
  inbound: ({ everyone }) => (everyone === undefined ? {} : changeFor(everyone.value)),
});

type Outliers = NonNullable<CircuitBreakerConf["outlierDetection"]>;

function changeFor({ connectionLimits, outlierDetection }: CircuitBreakerConf): Change {
  const outliers = outlierDetection?.disabled === true ? undefined : outlierDetection;
  const panic = outliers?.healthyPanicThreshold;
  return {
    cluster: {
      circuitBreakers: connectionLimits && limits(connectionLimits),
      outlierDetection: outliers?.detectors && detection(outliers, outliers.detectors),
      healthyPanicThreshold: panic === undefined ? undefined : Number(panic),
    },
  };
}

// Envoy takes zero at its word and lets nothing through; here it lifts the limit that a weaker policy set.
function limits({ retryBudget, ...counts }: NonNullable<CircuitBreakerConf["connectionLimits"]>): CircuitBreakers {
  const entries = Object.entries(counts).map(([name, limit]) => [name, limit === 0 ? MOST : limit]);
  return { ...Object.fromEntries(entries), ...(retryBudget && { retryBudget: budget(retryBudget) }) };
}

function budget({
  percentage,
  minRetries,
}: NonNullable<NonNullable<CircuitBreakerConf["connectionLimits"]>["retryBudget"]>): CircuitBreakers["retryBudget"] {
  return { percent: percentage === undefined ? undefined : Number(percentage), minRetries };
}

function detection(outliers: Outliers, detectors: NonNullable<Outliers["detectors"]>): OutlierDetection {
  const { interval, baseEjectionTime, maxEjectionPercent, splitExternalAndLocalErrors } = outliers;
  const { successRate, ...others } = detectors;
  return {
    ...others,
    successRate: successRate && rate(successRate),
    interval: toMillis(interval),
    baseEjectionTime: toMillis(baseEjectionTime),
    maxEjectionPercent,
    splitErrors: splitExternalAndLocalErrors,
  };
}

function rate({
  standardDeviationFactor: factor,
  ...others
}: NonNullable<NonNullable<Outliers["detectors"]>["successRate"]>): OutlierDetection["successRate"] {
  return { ...others, standardDeviations: factor === undefined ? undefined : Number(factor) };
}
