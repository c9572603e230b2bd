import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { displayName, LABEL } from "@heddle/model/labels.ts";
import type { Applied } from "./compile.ts";
import type { CompileContext } from "./compile-context.ts";
import { wholeProposals } from "./compile-proxy.ts";
import { isHttp } from "./emit/common.ts";
import { outboundRoutes } from "./emit/route.ts";
import { type Matched, outboundConf, pointsAtRoutes, type RouteTarget } from "./match/match.ts";
import { idOf } from "./memo.ts";
import { baseOutboundSettings, catchAll } from "./plan/base-plan.ts";
import { withRouteLogs } from "./plan/route-logs.ts";
import type { Conflict, Destination, Origin, RoutePlan, Settings } from "./plan/plan.ts";
import { resolveBackend } from "./plan/resolve.ts";
import { applyProposals, type Proposal } from "./plan/settings.ts";
import type { BackendReference, Conf, Policy } from "./policy.ts";
import type { MeshSnapshot } from "./snapshot/snapshot.ts";

/** What policies make of the requests to a destination, whichever local port they are sent to. */
export interface Traffic {
  readonly routes: readonly RoutePlan[];
  readonly settings: Settings;
  readonly applied: readonly Applied[];
  readonly conflicts: readonly Conflict[];
  /** The destination, and every other that its routes lead to. */
  readonly destinations: readonly Destination[];
  readonly resources: readonly EncodedResource[];
  readonly dependsOn: readonly string[];
  /** What references in routes meant when this was made. */
  readonly lookups: readonly Lookup[];
}

interface Lookup {
  readonly reference: BackendReference;
  readonly destination: Destination | undefined;
}

/** What one kind of policy says about a destination. */
export interface PolicyConf {
  readonly policy: Policy;
  readonly conf: Conf;
}

/** Works out the requests to a destination; proxies for which policies say the same share the result. */
export function trafficTo(context: CompileContext, destination: Destination): Traffic {
  const { mesh, matched, memo, proxyKey, ownerOf } = context;
  const confs = confsAbout(matched, destination);
  const aboutRoutes = matched.filter(pointsAtRoutes).map(idOf).join();
  return memo.of(ownerOf(destination)).get(
    `traffic|${idOf(destination)}|${proxyKey}|${textOf(confs)}|${aboutRoutes}`,
    () => makeTraffic(context, destination, confs),
    (known) => isCurrent(known, mesh),
  );
}

/** Whether the references in its routes still mean what they meant when it was made. */
export function isCurrent({ lookups }: Traffic, mesh: MeshSnapshot): boolean {
  return lookups.every(({ reference, destination }) => resolveBackend(mesh, reference).destination === destination);
}

/** What policies say about a destination, or about one route to it. */
export function confsAbout(matched: Matched, destination: Destination, route?: RouteTarget): readonly PolicyConf[] {
  return matched.flatMap((selected) => {
    const conf = outboundConf(selected, destination, route);
    return conf === undefined ? [] : [{ policy: selected.policy, conf }];
  });
}

function makeTraffic(context: CompileContext, destination: Destination, confs: readonly PolicyConf[]): Traffic {
  const { mesh } = context;
  const lookups: Lookup[] = [];
  const dependsOn: string[] = [];
  const bare = routesFor(confs, destination, (reference) => {
    const resolution = resolveBackend(mesh, reference);
    lookups.push({ reference, destination: resolution.destination });
    dependsOn.push(...resolution.dependsOn);
    return resolution.destination;
  });
  const proposals = proposalsFor(context, confs, destination);
  const { settings: shared, conflicts } = applyProposals(baseOutboundSettings(), proposals, destination.key);
  const special = bare.map((route) => ({ route, own: routeSettings(context, destination, route) }));
  const routes = special.map(({ route, own }) => ({
    ...route,
    settings: { ...shared.route, ...own?.route, ...route.settings },
  }));
  const settings = isHttp(destination.protocol) ? withRouteLogs(shared, special) : shared;
  return {
    routes,
    settings,
    conflicts,
    applied: confs.map(({ policy, conf }) => ({ kind: policy.kind.type, conf })),
    destinations: destinationsOf(destination, routes),
    resources: [...(isHttp(destination.protocol) ? [outboundRoutes(destination, routes)] : []), ...settings.resources],
    dependsOn,
    lookups,
  };
}

/** Differs when what policies say differs. */
export function textOf(confs: readonly PolicyConf[]): string {
  return confs.map(({ conf }) => conf.hash).join("|");
}

function routesFor(
  confs: readonly PolicyConf[],
  destination: Destination,
  resolve: (reference: BackendReference) => Destination | undefined,
): readonly RoutePlan[] {
  for (const { policy, conf } of confs) {
    const routes = policy.routes?.(conf, destination, resolve) ?? [];
    if (routes.some(({ match }) => matchesEverything(match))) return routes;
    if (routes.length > 0) return [...routes, catchAll(destination)];
  }
  return [catchAll(destination)];
}

function matchesEverything({ path, method, headers, queryParams }: RoutePlan["match"]): boolean {
  const anyPath = path === undefined || (path.type === "PathPrefix" && path.value === "/");
  return anyPath && method === undefined && headers.length === 0 && queryParams.length === 0;
}

function destinationsOf(destination: Destination, routes: readonly RoutePlan[]): readonly Destination[] {
  const forwarded = routes.flatMap(({ action }) =>
    action.do === "forward" ? [...action.backends, ...action.mirrors].map((each) => each.destination) : [],
  );
  return [...new Map([destination, ...forwarded].map((each) => [each.key, each])).values()];
}

/** What policies want changed about requests to a destination. */
export function proposalsFor(
  { whole, proxy }: CompileContext,
  confs: readonly PolicyConf[],
  destination: Destination,
): readonly Proposal[] {
  const special = confs.flatMap(({ policy, conf }) => {
    const change = policy.outbound?.(conf.value, destination, proxy);
    return change === undefined ? [] : [{ kind: policy.kind.type, origins: conf.origins, change }];
  });
  return [...wholeProposals(whole, destination), ...special];
}

/** What policies that point at a route say about its requests, beyond what they say about the destination. */
function routeSettings(context: CompileContext, destination: Destination, route: RoutePlan): Settings | undefined {
  const { matched } = context;
  const origin = route.origins.at(-1);
  const target = origin && routeTarget(matched, origin);
  if (target === undefined || !matched.some(pointsAtRoutes)) return undefined;
  const proposals = proposalsFor(context, confsAbout(matched, destination, target), destination);
  return applyProposals(baseOutboundSettings(), proposals, route.name).settings;
}

/** The resource that a route comes from, as policies point at it. */
export function routeTarget(matched: Matched, { type, name }: Origin): RouteTarget | undefined {
  // There is no pointing at routes of another kind, and one of those may have the same name.
  if (type !== "MeshHTTPRoute") return undefined;
  const selected = matched.find(({ policy }) => policy.kind.type === type);
  const route = selected?.policies.find(({ resource }) => resource.name === name)?.resource;
  if (route === undefined) return undefined;
  const shown = displayName(route);
  return { name: shown, labels: { ...route.labels, [LABEL.displayName]: shown } };
}
