import type { RouteAction, RoutePlan } from "@heddle/engine/plan/plan.ts";
import { type Conf, definePolicy, type Resolve } from "@heddle/engine/policy.ts";
import { meshTcpRouteKind } from "./kind.ts";
import type { RouteItem } from "./schema.ts";

/**
 * Which share of the connections to a destination goes where. Where requests are read it is a share of the requests, and
 * counts only while no MeshHTTPRoute, whose kind comes first, has a route.
 */
export const meshTcpRoute = definePolicy<RouteItem, never>({
  kind: meshTcpRouteKind,
  toConf: ({ rules }) => ({ rules: rules as RouteItem["rules"] }),
  routes: (conf, _, resolve) => {
    const action = actionOf(conf.value, resolve);
    return action === undefined ? [] : [routeOf(conf, action)];
  },
});

function routeOf({ origins }: Conf, action: RouteAction): RoutePlan {
  return {
    name: `${origins.at(-1)?.kri}rule_0`,
    match: { headers: [], queryParams: [] },
    action,
    settings: {},
    origins,
  };
}

function actionOf({ rules: [rule] }: RouteItem, resolve: Resolve): RouteAction | undefined {
  const refs = (rule?.default.backendRefs ?? []).map((ref) => ({ destination: resolve(ref), weight: ref.weight ?? 1 }));
  if (refs.length === 0) return undefined;
  const unresolved = refs.filter(({ destination }) => destination === undefined);
  return {
    do: "forward",
    backends: refs.flatMap(({ destination, weight }) => (destination === undefined ? [] : [{ destination, weight }])),
    unresolvedWeight: unresolved.reduce((sum, { weight }) => sum + weight, 0),
    mirrors: [],
  };
}
