import type { Compiled } from "../compile.ts";
import { decoded } from "./decode.ts";

export type Json = Record<string, unknown>;

/** What a proxy gets, in the form of a bootstrap's static resources. */
export interface StaticResources {
  readonly listeners: readonly Json[];
  readonly clusters: readonly Json[];
}

/**
 * Turns what was compiled into static resources: routes move into their listener, because a bootstrap has no other place
 * for them. `rename` gives listeners and clusters their names, so that several proxies fit into one bootstrap.
 */
export function staticResources({ resources }: Compiled, rename: (name: string) => string): StaticResources {
  const of = (type: string): Json[] =>
    [...resources].flatMap(([url, byName]) => (url.endsWith(`.${type}`) ? [...byName.values()].map(decoded) : []));
  const routes = new Map(of("RouteConfiguration").map((each) => [each["name"], withoutType(each)]));
  const names = new Set([...of("Cluster"), ...of("Listener")].map((each) => each["name"]));
  const own = (value: unknown): unknown => {
    if (typeof value === "string") return names.has(value) ? rename(value) : value;
    if (Array.isArray(value)) return value.map(own);
    if (typeof value !== "object" || value === null) return value;
    const { rds, ...rest } = value as { rds?: { routeConfigName: string } } & Json;
    const inline = rds === undefined ? {} : { routeConfig: routes.get(rds.routeConfigName) };
    return Object.fromEntries(Object.entries({ ...rest, ...inline }).map(([key, inner]) => [key, own(inner)]));
  };
  return {
    listeners: of("Listener").map((each) => own(withoutType(each)) as Json),
    clusters: of("Cluster").map((each) => own(withoutType(each)) as Json),
  };
}

function withoutType({ "@type": _type, ...fields }: Json): Json {
  return fields;
}
