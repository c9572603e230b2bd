import { Counter, Gauge, type Registry } from "prom-client";
import type { RateLimits } from "./rate-limits.ts";

/** Registers what is measured of the rate limit service. */
export function registerRateLimitMetrics(registry: Registry, { decisions, counters }: RateLimits): void {
  new Counter({
    name: "rate_limit_decisions_total",
    help: "Requests that were counted for MeshGlobalRateLimit, by what was decided",
    labelNames: ["decision"],
    registers: [registry],
    collect() {
      // Counted elsewhere, without the cost of a metric for each request.
      this.reset();
      for (const [decision, count] of Object.entries(decisions)) this.inc({ decision }, count);
    },
  });
  new Gauge({
    name: "rate_limit_backend_up",
    help: "Whether requests can be counted: 0 while Redis does not answer",
    registers: [registry],
    collect() {
      this.set(counters.isUp ? 1 : 0);
    },
  });
}
