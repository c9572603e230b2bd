import { duration } from "@heddle/envoy/duration.ts";
import type {
  CircuitBreakers_ThresholdsSchema,
  CircuitBreakersSchema,
} from "@heddle/envoy/gen/envoy/config/cluster/v3/circuit_breaker_pb.js";
import type { OutlierDetectionSchema } from "@heddle/envoy/gen/envoy/config/cluster/v3/outlier_detection_pb.js";
import type { CircuitBreakers, OutlierDetection, RetryBudget } from "../plan/instances.ts";
import { type Init, present } from "./common.ts";

/** How much may be under way, in Envoy's form. */
export function emitCircuitBreakers({ retryBudget, ...limits }: CircuitBreakers): Init<typeof CircuitBreakersSchema> {
  // What is left of each limit shows in the proxy's statistics, so that one sees a breaker before it opens.
  return { thresholds: [{ ...present(limits), ...(retryBudget && budget(retryBudget)), trackRemaining: true }] };
}

function budget({ percent, minRetries }: RetryBudget): Init<typeof CircuitBreakers_ThresholdsSchema> {
  const budgetPercent = percent === undefined ? undefined : { value: percent };
  return { retryBudget: present({ budgetPercent, minRetryConcurrency: minRetries }) };
}

/** Who is left out for what it answered, in Envoy's form. */
export function emitOutlierDetection(detection: OutlierDetection): Init<typeof OutlierDetectionSchema> {
  const { interval, baseEjectionTime, maxEjectionPercent, splitErrors = false } = detection;
  return {
    ...present({ interval: duration(interval), baseEjectionTime: duration(baseEjectionTime), maxEjectionPercent }),
    splitExternalLocalOriginErrors: splitErrors,
    ...consecutive(detection),
    ...compared(detection),
  };
}

// Envoy watches some things unless told otherwise: whatever nobody asked for is switched off by its name.
function consecutive(detection: OutlierDetection): Init<typeof OutlierDetectionSchema> {
  const { totalFailures, gatewayFailures, localOriginFailures } = detection;
  return {
    ...present({
      consecutive5xx: totalFailures?.consecutive,
      consecutiveGatewayFailure: gatewayFailures?.consecutive,
      consecutiveLocalOriginFailure: localOriginFailures?.consecutive,
    }),
    enforcingConsecutive5xx: enforced(totalFailures),
    enforcingConsecutiveGatewayFailure: enforced(gatewayFailures),
    enforcingConsecutiveLocalOriginFailure: enforced(localOriginFailures),
  };
}

function compared({ successRate, failurePercentage }: OutlierDetection): Init<typeof OutlierDetectionSchema> {
  const deviations = successRate?.standardDeviations;
  return {
    ...present({
      successRateMinimumHosts: successRate?.minimumHosts,
      successRateRequestVolume: successRate?.requestVolume,
      // Envoy divides it by a thousand.
      successRateStdevFactor: deviations === undefined ? undefined : Math.round(deviations * 1_000),
      failurePercentageMinimumHosts: failurePercentage?.minimumHosts,
      failurePercentageRequestVolume: failurePercentage?.requestVolume,
      failurePercentageThreshold: failurePercentage?.threshold,
    }),
    enforcingSuccessRate: enforced(successRate),
    enforcingLocalOriginSuccessRate: enforced(successRate),
    enforcingFailurePercentage: enforced(failurePercentage),
    enforcingFailurePercentageLocalOrigin: enforced(failurePercentage),
  };
}

function enforced(detector: object | undefined): 0 | 100 {
  return detector === undefined ? 0 : 100;
}
