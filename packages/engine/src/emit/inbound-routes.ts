import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import type { Match } from "@heddle/model/target-ref.ts";
import type { CallerSettings, InboundPlan, RouteSettings } from "../plan/plan.ts";
import { ANY_CALLER, bothCallers, type CallerMatch, callerMatches } from "./caller-match.ts";
import { limits, perFilter, type Route, routeConfiguration } from "./route-configuration.ts";

/** Everything that comes in goes to the application; who sends it may change how. */
export function inboundRoutes({ key, settings }: InboundPlan): EncodedResource {
  const everyone: Variant = { match: ANY_CALLER, settings: settings.route };
  const variants = settings.callers.reduce(withCallers, [everyone]);
  const routes = variants.map(({ match, settings: route }): Route => ({
    match: { pathSpecifier: { case: "prefix", value: "/" }, ...match },
    action: { case: "route", value: { clusterSpecifier: { case: "cluster", value: key }, ...limits(route) } },
    ...perFilter(route),
  }));
  return routeConfiguration(key, routes);
}

interface Variant {
  readonly match: CallerMatch;
  readonly settings: RouteSettings;
}

/** Each list of callers splits every variant there was: into one for each caller, and what is left. */
function withCallers(variants: readonly Variant[], callers: readonly CallerSettings[]): readonly Variant[] {
  const split = callers.flatMap(({ match, and = [], route, asInListener = [] }) =>
    allOf([match, ...and]).flatMap((caller) =>
      variants.map((variant) => ({
        match: bothCallers(caller, variant.match),
        settings: merged(variant.settings, route, asInListener),
      })),
    ),
  );
  return [...split, ...variants];
}

function allOf(matches: readonly Match[]): readonly CallerMatch[] {
  return matches
    .map(callerMatches)
    .reduce((some, more) => some.flatMap((one) => more.map((other) => bothCallers(one, other))));
}

// What the filters of other policies do for everybody stays: a permission must not get lost with a caller's own limit.
function merged(everyone: RouteSettings, caller: RouteSettings, asInListener: readonly string[]): RouteSettings {
  const kept = Object.entries(everyone.filters ?? {}).filter(([name]) => !asInListener.includes(name));
  const filters = { ...Object.fromEntries(kept), ...caller.filters };
  return { ...everyone, ...caller, ...(Object.keys(filters).length > 0 ? { filters } : {}) };
}
