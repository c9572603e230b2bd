import { contentHash } from "@heddle/model/canonical-json.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { LABEL } from "@heddle/model/labels.ts";
import { applicationCluster, destinationCluster } from "./emit/cluster.ts";
import { inboundListener, outboundListener } from "./emit/listener.ts";
import { inboundRoutes } from "./emit/inbound-routes.ts";
import { outboundRoutes } from "./emit/route.ts";
import { isHttp } from "./emit/common.ts";
import { inboundRules, match, type Matched, outboundConf } from "./match/match.ts";
import type { Memo } from "./memo.ts";
import { baseInbounds, baseOutboundSettings, catchAll } from "./plan/base-plan.ts";
import type { Conflict, Destination, InboundPlan, OutboundPlan, ProxyTls, RoutePlan } from "./plan/plan.ts";
import { resolveBackend } from "./plan/resolve.ts";
import { applyProposals, type Proposal } from "./plan/settings.ts";
import type { BackendReference, Conf, InboundRules, Policy } from "./policy.ts";
import { identityOf, type ProxyIdentity } from "./snapshot/identity.ts";
import type { DataplaneEntry, MeshSnapshot } from "./snapshot/snapshot.ts";

/** What one kind of policy says at one place of a proxy. */
export interface Applied {
  readonly kind: string;
  readonly conf: Conf;
}

/** An inbound or outbound with everything that was decided for it: what the inspect API shows and what Envoy gets. */
export interface Unit<Plan> {
  readonly plan: Plan;
  readonly applied: readonly Applied[];
  readonly conflicts: readonly Conflict[];
  readonly resources: readonly EncodedResource[];
}
export interface InboundUnit extends Unit<InboundPlan> {
  readonly rules: readonly { readonly kind: string; readonly rules: InboundRules }[];
}
export interface OutboundUnit extends Unit<OutboundPlan> {
  /** Every destination its routes lead to, and itself. */
  readonly destinations: readonly Destination[];
  readonly dependsOn: readonly string[];
}

/** Everything one proxy needs but endpoints and secrets, which change on their own. */
export interface Compiled {
  readonly identity: ProxyIdentity | undefined;
  readonly matched: Matched;
  readonly inbounds: readonly InboundUnit[];
  readonly outbounds: readonly OutboundUnit[];
  /** Outbounds whose destination does not exist (yet): they get no listener. */
  readonly unresolved: readonly string[];
  /** By type URL, then name. */
  readonly resources: ReadonlyMap<string, ReadonlyMap<string, EncodedResource>>;
  /** By the key of their endpoints. */
  readonly destinations: ReadonlyMap<string, Destination>;
  /** Services whose change may change this result; "MeshService/*" stands for any. */
  readonly dependsOn: ReadonlySet<string>;
}

/** Compiles a proxy: what the mesh and its policies mean for it, as Envoy's resources. Pure but for the memo. */
export function compile(
  mesh: MeshSnapshot,
  { resource: proxy }: DataplaneEntry,
  policies: readonly Policy[],
  memo: Memo,
): Compiled {
  const identity = identityOf(mesh, proxy);
  const matched = match(mesh, proxy, policies);
  const inbounds = baseInbounds(proxy, identity?.tls).map((base) => compileInbound(base, matched, memo));
  const outbounds: OutboundUnit[] = [];
  const unresolved: string[] = [];
  const dependsOn = new Set<string>();
  for (const outbound of proxy.spec.networking.outbound ?? []) {
    const reference = referenceOf(outbound);
    const resolution = resolveBackend(mesh, reference);
    for (const key of resolution.dependsOn) dependsOn.add(key);
    if (resolution.destination === undefined) {
      unresolved.push(describe(reference));
      continue;
    }
    const place = { address: outbound.address ?? "127.0.0.1", port: outbound.port, tls: identity?.tls };
    const unit = compileOutbound(mesh, matched, { ...place, destination: resolution.destination }, memo);
    for (const key of unit.dependsOn) dependsOn.add(key);
    outbounds.push(unit);
  }
  const destinations = new Map(outbounds.flatMap((unit) => unit.destinations.map((each) => [each.key, each] as const)));
  const resources = byTypeAndName([...inbounds, ...outbounds]);
  return { identity, matched, inbounds, outbounds, unresolved, resources, destinations, dependsOn };
}

function compileInbound(base: InboundPlan, matched: Matched, memo: Memo): InboundUnit {
  const rules = matched.map((selected) => ({
    policy: selected.policy,
    rules: memo.get(`rules|${selected.policy.kind.type}|${selected.key}|${base.name}`, () =>
      inboundRules(selected, base.name),
    ),
  }));
  const key = `inbound|${contentHash(base)}|${rules.map((each) => each.rules.hash).join("|")}`;
  return memo.get(key, () => {
    const proposals = rules.flatMap(({ policy, rules: given }): Proposal[] => {
      const change = policy.inbound?.(given, base);
      return change === undefined
        ? []
        : [{ kind: policy.kind.type, origins: given.rules.map(({ origin }) => origin), change }];
    });
    const { settings, conflicts } = applyProposals(base.settings, proposals, base.key);
    const plan = { ...base, settings };
    const routes = isHttp(plan.protocol) ? [inboundRoutes(plan)] : [];
    return {
      plan,
      conflicts,
      applied: rules.flatMap(({ policy, rules: { everyone } }) =>
        everyone === undefined ? [] : [{ kind: policy.kind.type, conf: everyone }],
      ),
      rules: rules.map(({ policy, rules: given }) => ({ kind: policy.kind.type, rules: given })),
      resources: [applicationCluster(plan), inboundListener(plan), ...routes],
    };
  });
}

type Place = Pick<OutboundPlan, "address" | "port" | "tls" | "destination">;

function compileOutbound(mesh: MeshSnapshot, matched: Matched, place: Place, memo: Memo): OutboundUnit {
  const { destination, tls } = place;
  const confs = confsFor(matched, destination, memo);
  const dependsOn: string[] = [];
  const resolve = (reference: BackendReference): Destination | undefined => {
    const resolution = resolveBackend(mesh, reference);
    dependsOn.push(...resolution.dependsOn);
    return resolution.destination;
  };
  const routes = routesFor(confs, destination, resolve);
  const backends = uniqueDestinations(destination, routes);
  const clusters = backends.map((each) => clusterFor(matched, each, tls, memo));
  // Everything the unit is made of is in its key, so equal outbounds of different proxies share one result. Routes
  // follow from the confs and from what their references resolve to.
  const where = `${place.address}:${place.port}|${tlsText(tls)}`;
  const key = `outbound|${where}|${backends.map(hashOf).join("|")}|${confsText(confs)}|${routeConfsKey(matched, routes)}`;
  const unit = memo.get(key, () => emitOutbound(place, confs, matched, routes));
  return { ...unit, resources: [...clusters, ...unit.resources], destinations: backends, dependsOn };
}

interface PolicyConf {
  readonly policy: Policy;
  readonly conf: Conf;
}

function confsFor(matched: Matched, destination: Destination, memo: Memo): readonly PolicyConf[] {
  const about = hashOf(destination);
  return matched.flatMap((selected) => {
    if (selected.policies.length === 0) return [];
    const { conf } = memo.get(`conf|${selected.policy.kind.type}|${selected.key}|${about}`, () => ({
      conf: outboundConf(selected, destination),
    }));
    return conf === undefined ? [] : [{ policy: selected.policy, conf }];
  });
}

function confsText(confs: readonly PolicyConf[]): string {
  return confs.map(({ conf }) => conf.hash).join("|");
}

function tlsText(tls: ProxyTls | undefined): string {
  return tls === undefined ? "" : [tls.mode, tls.identitySecret, tls.trustSecret, ...tls.trustPrefixes].join(" ");
}

// Destinations are kept by the service views as long as nothing about them changed, so each is hashed once.
const hashes = new WeakMap<Destination, string>();
function hashOf(destination: Destination): string {
  const known = hashes.get(destination) ?? contentHash(destination);
  hashes.set(destination, known);
  return known;
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

function uniqueDestinations(destination: Destination, routes: readonly RoutePlan[]): readonly Destination[] {
  const forwarded = routes.flatMap(({ action }) =>
    action.do === "forward" ? [...action.backends, ...action.mirrors].map((each) => each.destination) : [],
  );
  return [...new Map([destination, ...forwarded].map((each) => [each.key, each])).values()];
}

function clusterFor(
  matched: Matched,
  destination: Destination,
  tls: ProxyTls | undefined,
  memo: Memo,
): EncodedResource {
  const confs = confsFor(matched, destination, memo);
  const key = `cluster|${hashOf(destination)}|${tlsText(tls)}|${confsText(confs)}`;
  return memo.get(key, () => {
    const { settings } = applyProposals(baseOutboundSettings(), proposalsFor(confs, destination), destination.key);
    return destinationCluster(destination, settings.cluster, tls);
  });
}

function emitOutbound(
  place: Place,
  confs: readonly PolicyConf[],
  matched: Matched,
  routes: readonly RoutePlan[],
): Omit<OutboundUnit, "destinations" | "dependsOn"> {
  const { destination } = place;
  const { settings, conflicts } = applyProposals(
    baseOutboundSettings(),
    proposalsFor(confs, destination),
    destination.key,
  );
  const withSettings = routes.map((route) => ({
    ...route,
    settings: { ...settings.route, ...routeSettings(matched, destination, route), ...route.settings },
  }));
  const plan: OutboundPlan = { ...place, routes: withSettings, settings };
  const http = isHttp(destination.protocol) ? [outboundRoutes(plan)] : [];
  return {
    plan,
    conflicts,
    applied: confs.map(({ policy, conf }) => ({ kind: policy.kind.type, conf })),
    resources: [outboundListener(plan), ...http],
  };
}

function proposalsFor(confs: readonly PolicyConf[], destination: Destination): readonly Proposal[] {
  return confs.flatMap(({ policy, conf }) => {
    const change = policy.outbound?.(conf.value, destination);
    return change === undefined ? [] : [{ kind: policy.kind.type, origins: conf.origins, change }];
  });
}

/** What policies that point at a route say about its requests, beyond what they say about the destination. */
function routeSettings(matched: Matched, destination: Destination, route: RoutePlan): RoutePlan["settings"] {
  const target = route.origins.at(-1);
  if (target === undefined || !pointsAtRoutes(matched)) return {};
  const confs = matched.flatMap((selected) => {
    const conf = outboundConf(selected, destination, {
      name: target.name,
      labels: { [LABEL.displayName]: target.name },
    });
    return conf === undefined ? [] : [{ policy: selected.policy, conf }];
  });
  return applyProposals(baseOutboundSettings(), proposalsFor(confs, destination), route.name).settings.route;
}

function routeConfsKey(matched: Matched, routes: readonly RoutePlan[]): string {
  const named = routes.some((route) => route.origins.length > 0);
  return named && pointsAtRoutes(matched) ? matched.map((selected) => selected.key).join("|") : "";
}

function pointsAtRoutes(matched: Matched): boolean {
  return matched.some(({ policies }) =>
    policies.some(({ resource }) => resource.spec.to?.some(({ targetRef }) => targetRef?.kind === "MeshHTTPRoute")),
  );
}

type DataplaneOutbound = NonNullable<DataplaneEntry["resource"]["spec"]["networking"]["outbound"]>[number];

function referenceOf({ backendRef, tags }: DataplaneOutbound): BackendReference {
  return backendRef ?? { kind: "Service", tags };
}

function describe({ kind, name, labels, tags, port }: BackendReference): string {
  const which = name ?? JSON.stringify(labels ?? tags ?? {});
  return `${kind} ${which}${port === undefined ? "" : ` port ${port}`}`;
}

function byTypeAndName(units: readonly { readonly resources: readonly EncodedResource[] }[]): Compiled["resources"] {
  const types = new Map<string, Map<string, EncodedResource>>();
  for (const { resources } of units) {
    for (const resource of resources) {
      const names = types.get(resource.typeUrl) ?? new Map<string, EncodedResource>();
      types.set(resource.typeUrl, names.set(resource.name, resource));
    }
  }
  return types;
}
