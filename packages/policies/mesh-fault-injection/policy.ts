import { isHttp } from "@heddle/engine/emit/common.ts";
import { definePolicy } from "@heddle/engine/policy.ts";
import { callerFaults } from "./callers.ts";
import { faultsOnRoute, inertFilters } from "./faults.ts";
import { meshFaultInjectionKind } from "./kind.ts";
import type { FaultsConf } from "./schema.ts";

/** What goes wrong on purpose with requests that come in: answers that are errors, delays, slow responses. */
export const meshFaultInjection = definePolicy<never, FaultsConf>({
  kind: meshFaultInjectionKind,
  inbound: (rules, { protocol, tls }) => {
    if (!isHttp(protocol)) return {};
    const everyone = rules.everyone?.value.http ?? [];
    const callers = callerFaults(rules, tls);
    const count = Math.max(everyone.length, ...callers.map(({ faults }) => faults.length));
    if (count === 0) return {};
    // The filters in the listener do nothing: faults stand in the routes, where they change without draining anything.
    return {
      httpFilters: inertFilters(count),
      route: faultsOnRoute(everyone, count),
      callers: callers.map(({ match, and, faults }) => ({ match, and, route: faultsOnRoute(faults, count) })),
    };
  },
});
