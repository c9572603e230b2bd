import type { HeaderChange } from "./plan.ts";

/** How instances are asked whether they work, and left out while they do not. Times are milliseconds. */
export interface HealthCheck {
  readonly probe: Probe;
  readonly interval: number;
  readonly timeout: number;
  /** After so many failures in a row an instance is left out, after so many successes it is used again. */
  readonly unhealthyThreshold: number;
  readonly healthyThreshold: number;
  readonly initialJitter?: number | undefined;
  readonly intervalJitter?: number | undefined;
  /** Share of the interval in percent. */
  readonly intervalJitterPercent?: number | undefined;
  /** The interval while nobody calls the destination. */
  readonly noTrafficInterval?: number | undefined;
  readonly reuseConnection?: boolean | undefined;
  /** A file that gets a line of JSON when an instance is left out or used again. */
  readonly eventLogPath?: string | undefined;
  readonly logsEveryFailure?: boolean | undefined;
}

/** What is sent to an instance, and what a good answer is. */
export type Probe =
  | {
      readonly by: "http";
      readonly path: string;
      readonly headers: Pick<HeaderChange, "set" | "add">;
      /** Only 200 when empty. */
      readonly expectedStatuses: readonly number[];
    }
  | {
      readonly by: "tcp";
      /** Base64; without it a connection is enough. */
      readonly send?: string | undefined;
      /** Base64; the answer must hold all of these, in this order. */
      readonly receive: readonly string[];
    }
  | { readonly by: "grpc"; readonly serviceName?: string | undefined; readonly authority?: string | undefined };

/** How much may be under way to a destination at one time; what is more is answered with 503. Absent: 1024, retries 3. */
export interface CircuitBreakers {
  readonly maxConnections?: number | undefined;
  readonly maxConnectionPools?: number | undefined;
  readonly maxPendingRequests?: number | undefined;
  readonly maxRetries?: number | undefined;
  readonly maxRequests?: number | undefined;
  readonly retryBudget?: RetryBudget | undefined;
}

/** How many of the requests under way may be retries, in place of `maxRetries`. Absent: 20 percent, and always 3. */
export interface RetryBudget {
  readonly percent?: number | undefined;
  readonly minRetries?: number | undefined;
}

/** Which instances are left out for a while because of what they answered. Times are milliseconds, shares percent. */
export interface OutlierDetection {
  readonly interval?: number | undefined;
  readonly baseEjectionTime?: number | undefined;
  readonly maxEjectionPercent?: number | undefined;
  /** Whether connections that fail are counted apart from answers that say so. */
  readonly splitErrors?: boolean | undefined;
  /** What is watched; what is absent here ejects nobody. */
  readonly totalFailures?: ConsecutiveFailures | undefined;
  readonly gatewayFailures?: ConsecutiveFailures | undefined;
  readonly localOriginFailures?: ConsecutiveFailures | undefined;
  readonly successRate?: SuccessRate | undefined;
  readonly failurePercentage?: FailurePercentage | undefined;
}

/** Ejects after so many failures in a row. */
export interface ConsecutiveFailures {
  readonly consecutive?: number | undefined;
}

/** Ejects who is that many standard deviations worse than the others. */
export interface SuccessRate {
  readonly minimumHosts?: number | undefined;
  readonly requestVolume?: number | undefined;
  readonly standardDeviations?: number | undefined;
}

/** Ejects who fails that share of its requests. */
export interface FailurePercentage {
  readonly minimumHosts?: number | undefined;
  readonly requestVolume?: number | undefined;
  readonly threshold?: number | undefined;
}
