import type { Any } from "@bufbuild/protobuf/wkt";
import { any } from "@heddle/envoy/any.ts";
import { FilterConfigSchema } from "@heddle/envoy/gen/envoy/config/route/v3/route_components_pb.js";
import type { Match } from "@heddle/model/target-ref.ts";
import type { Change, HttpFilter, RouteSettings } from "./plan.ts";

/** A filter whose whole configuration stands in the listener, and what its routes may still say. */
export interface CallerFilter extends HttpFilter {
  readonly onRoute?: Any | undefined;
}

/** The filters that the requests of some callers pass; none: they pass all of them by. */
export interface CallerFilters {
  readonly match: Match;
  readonly filters: readonly CallerFilter[];
}

/**
 * Filters that differ by caller, though Envoy takes their settings from the listener only: there is one set of filters for
 * each way in which they differ, and each caller's route turns off the others. A route that should lack that leaves all
 * of them on.
 */
export function filtersByCaller(everyone: readonly CallerFilter[], callers: readonly CallerFilters[]): Change {
  const sets = distinct([everyone, ...callers.map(({ filters }) => filters)].filter((set) => set.length > 0));
  if (sets.length === 0) return {};
  const named = sets.map((set, index) => set.map((filter) => ({ ...filter, name: nameOf(filter, index) })));
  const setOf = (own: readonly CallerFilter[]): number => sets.findIndex((set) => textOf(set) === textOf(own));
  const routeFor = (own: readonly CallerFilter[]): RouteSettings => {
    const at = setOf(own);
    const off = named.flatMap((set, index) => (index === at ? [] : set.map(({ name }) => [name, OFF] as const)));
    const on = own.flatMap((filter) =>
      filter.onRoute === undefined ? [] : [[nameOf(filter, at), filter.onRoute] as const],
    );
    return { filters: Object.fromEntries([...off, ...on]) };
  };
  return {
    httpFilters: named.flat().map(({ stage, name, config }) => ({ stage, name, config })),
    route: routeFor(everyone),
    callers: callers.map(({ match, filters }) => ({
      match,
      route: routeFor(filters),
      asInListener: filters.map((filter) => nameOf(filter, setOf(filters))),
    })),
  };
}

const OFF = any(FilterConfigSchema, { disabled: true });

function distinct(sets: readonly (readonly CallerFilter[])[]): readonly (readonly CallerFilter[])[] {
  return [...new Map(sets.map((set) => [textOf(set), set])).values()];
}

function textOf(set: readonly CallerFilter[]): string {
  return set.map(({ name, config }) => `${name} ${Buffer.from(config.value).toString("latin1")}`).join();
}

// Filters of one stage run in the order of their names.
function nameOf({ name }: CallerFilter, index: number): string {
  return index === 0 ? name : `${name}.${String(index + 1).padStart(2, "0")}`;
}
