import { isHttp } from "@heddle/engine/emit/common.ts";
import { definePolicy } from "@heddle/engine/policy.ts";
import { meshHttpRouteKind } from "./kind.ts";
import { type MergedRoutes, mergeRoutes } from "./merge.ts";
import { routesOf } from "./routes.ts";
import type { RouteItem } from "./schema.ts";

/** Which requests to a destination go where: by path, method, headers and parameters, by weight, changed or redirected. */
export const meshHttpRoute = definePolicy<RouteItem | MergedRoutes, never>({
  kind: meshHttpRouteKind,
  toConf: (item) => item as unknown as RouteItem,
  merge: (items, origins) => mergeRoutes(items as readonly RouteItem[], origins),
  routes: ({ value }, destination, resolve) =>
    isHttp(destination.protocol) ? routesOf(value as MergedRoutes, destination, resolve) : [],
});
