import type { AccessLog, RoutePlan, Settings } from "./plan.ts";
import { accessLogsText } from "./settings.ts";

/** A route, and the settings of its requests when policies point at it. */
export interface RouteWithOwn {
  readonly route: Pick<RoutePlan, "name">;
  readonly own: Settings | undefined;
}

/**
 * Access logs stand in listeners, so what policies say about one route becomes a condition there: the route's own logs
 * for its requests, and those of the destination for all others.
 */
export function withRouteLogs(shared: Settings, routes: readonly RouteWithOwn[]): Settings {
  const usual = accessLogsText(shared.accessLogs);
  const groups = new Map<string, { readonly names: Set<string>; readonly own: Settings }>();
  for (const { route, own } of routes) {
    const text = own === undefined ? usual : accessLogsText(own.accessLogs);
    if (own === undefined || text === usual) continue;
    const group = groups.get(text) ?? { names: new Set(), own };
    group.names.add(route.name);
    groups.set(text, group);
  }
  if (groups.size === 0) return shared;
  const special = [...groups.values()];
  const except = special.flatMap(({ names }) => [...names]);
  return {
    ...shared,
    accessLogs: [
      ...shared.accessLogs.map((log): AccessLog => ({ ...log, routes: { except } })),
      ...special.flatMap(({ names, own }) =>
        own.accessLogs.map((log): AccessLog => ({ ...log, routes: { only: [...names] } })),
      ),
    ],
    resources: [...shared.resources, ...special.flatMap(({ own }) => own.resources)],
  };
}
