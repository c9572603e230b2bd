import { isHttp } from "@heddle/engine/emit/common.ts";
import { callersOf } from "@heddle/engine/match/callers.ts";
import { mergeConfs } from "@heddle/engine/match/merge.ts";
import type { Change, RouteSettings } from "@heddle/engine/plan/plan.ts";
import { definePolicy, type InboundRules } from "@heddle/engine/policy.ts";
import { HTTP_FILTER, INERT, isLimit, limited, networkFilter } from "./limits.ts";
import { meshRateLimitKind } from "./kind.ts";
import type { HttpLimit, RateLimitConf } from "./schema.ts";

/** How much a service takes in: requests where they are read, and connections. Each proxy counts for itself. */
export const meshRateLimit = definePolicy<never, RateLimitConf>({
  kind: meshRateLimitKind,
  inbound: (rules, { protocol, key }) => ({
    ...onConnections(rules.everyone?.value ?? {}, key),
    ...(isHttp(protocol) ? onRoutes(rules) : {}),
  }),
});

// The filter in the listener is always the same and limits nothing; the limits stand in the routes, so that a new one
// drains no connection. Proxies without any limit do without the filter: every request would pay for it.
function onRoutes(rules: InboundRules<RateLimitConf>): Change {
  const everyone = rules.everyone?.value ?? {};
  const callers = callersOf(rules).map(({ match, conf }) => ({
    match,
    limit: httpLimit(mergeConfs([everyone, conf]) as RateLimitConf),
  }));
  if (![httpLimit(everyone), ...callers.map(({ limit }) => limit)].some(isLimit)) return {};
  return {
    httpFilters: [{ stage: "limit", name: HTTP_FILTER, config: INERT }],
    route: routeFor(httpLimit(everyone)),
    callers: callers.map(({ match, limit }) => ({ match, route: routeFor(limit) })),
  };
}

function httpLimit({ local }: RateLimitConf): HttpLimit {
  return local?.http ?? {};
}

function routeFor(limit: HttpLimit): RouteSettings {
  return { filters: { [HTTP_FILTER]: limited(limit) } };
}

function onConnections({ local }: RateLimitConf, key: string): Change {
  const { disabled = false, connectionRate } = local?.tcp ?? {};
  return disabled || connectionRate === undefined ? {} : { networkFilters: [networkFilter(connectionRate, key)] };
}
