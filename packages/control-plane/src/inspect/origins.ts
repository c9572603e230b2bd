import type { Compiled, InboundUnit, OutboundUnit } from "@heddle/engine/compile.ts";
import { wholeProposals } from "@heddle/engine/compile-proxy.ts";
import type { Change, Destination, Origin, OutboundPlan } from "@heddle/engine/plan/plan.ts";
import type { Proposal } from "@heddle/engine/plan/settings.ts";
import type { Policy } from "@heddle/engine/policy.ts";
import { confsAbout, routeTarget } from "@heddle/engine/traffic.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";

/**
 * KRIs of the resources that shaped an Envoy resource of a proxy: the policies that have a say in it, then the Dataplane
 * or MeshService that it stands for. Empty when the proxy has no such resource.
 */
export function originsOf(compiled: Compiled, typeUrl: string, resourceName: string): readonly string[] {
  const isMade = ({ resources }: Pick<InboundUnit | OutboundUnit, "resources">): boolean =>
    resources.some((each) => each.typeUrl === typeUrl && each.name === resourceName);
  const brought = bringers(compiled, typeUrl, resourceName);
  const patching = patchOrigins(compiled, typeUrl, resourceName);
  if (brought.length > 0) return [...new Set([...patching, ...brought])];
  const kris = [
    ...patching,
    ...compiled.inbounds.filter(isMade).flatMap((unit) => inboundOrigins(compiled, unit, typeUrl)),
    ...compiled.outbounds.filter(isMade).flatMap((unit) => outboundOrigins(compiled, unit, typeUrl, resourceName)),
    ...[compiled.passthrough, ...compiled.whole.units].filter(isMade).flatMap(({ origins }) => krisOf(origins)),
    ...(typeUrl === TYPE_URL.endpoint ? endpointOrigins(compiled, resourceName) : []),
  ];
  return [...new Set(kris)].filter((kri) => kri !== "");
}

/** The policies for resources that changed it or added it, each followed by the very modification. */
function patchOrigins({ resources, patchOrigins: known }: Compiled, typeUrl: string, name: string): readonly string[] {
  const resource = resources.get(typeUrl)?.get(name);
  return (resource && known.get(resource)) ?? [];
}

/** The policies that say which instances are called first, then the service. */
function endpointOrigins(compiled: Compiled, key: string): readonly string[] {
  const destination = compiled.destinations.get(key);
  if (destination === undefined) return [];
  const ordering = outboundProposals(compiled, { destination, routes: [] }).flatMap(({ change, origins }) =>
    change.endpoints === undefined ? [] : krisOf(origins),
  );
  return [...ordering, ...destinationKri(destination)];
}

/** The policies that brought a resource along, such as the cluster that an access log goes to. */
function bringers(compiled: Compiled, typeUrl: string, name: string): readonly string[] {
  const brings = ({ change, origins }: Proposal): readonly string[] =>
    change.resources?.some((each) => each.typeUrl === typeUrl && each.name === name) ? krisOf(origins) : [];
  return [
    ...compiled.inbounds.flatMap((unit) => inboundProposals(compiled, unit).flatMap(brings)),
    ...compiled.outbounds.flatMap(({ plan }) => outboundProposals(compiled, plan).flatMap(brings)),
  ];
}

function inboundProposals({ matched, whole, proxy }: Compiled, { plan, rules }: InboundUnit): readonly Proposal[] {
  const own = rules.flatMap(({ kind, rules: given }) => {
    const policy = matched.find((selected) => selected.policy.kind.type === kind)?.policy;
    const change = policy?.inbound?.(given, plan, proxy);
    return change === undefined ? [] : [{ kind, origins: given.rules.map(({ origin }) => origin), change }];
  });
  return [...whole.inbounds, ...own];
}

/** What policies say about a destination, and about single routes to it. */
function outboundProposals(
  { matched, whole, proxy }: Compiled,
  { destination, routes }: Pick<OutboundPlan, "destination" | "routes">,
): readonly Proposal[] {
  const targets = routes.flatMap(({ origins }) => origins.at(-1) ?? []).map((origin) => routeTarget(matched, origin));
  const own = [undefined, ...new Set(targets)].flatMap((route) =>
    confsAbout(matched, destination, route).map(({ policy, conf }) => ({
      kind: policy.kind.type,
      origins: conf.origins,
      change: policy.outbound?.(conf.value, destination, proxy) ?? {},
    })),
  );
  return [...wholeProposals(whole, destination), ...own];
}

/** The parts of a change that end up in a type of resource. */
const SLOTS: Readonly<Record<string, readonly (keyof Change)[]>> = {
  [TYPE_URL.listener]: ["connection", "tls", "httpFilters", "networkFilters", "accessLogs", "tracing", "callers"],
  [TYPE_URL.route]: ["route", "callers"],
  [TYPE_URL.cluster]: ["cluster", "tls"],
};

function inboundOrigins(compiled: Compiled, unit: InboundUnit, typeUrl: string): readonly string[] {
  return [...touching(inboundProposals(compiled, unit), typeUrl), withoutSection(unit.plan.kri)];
}

function outboundOrigins(
  compiled: Compiled,
  { plan, applied, destinations }: OutboundUnit,
  typeUrl: string,
  resourceName: string,
): readonly string[] {
  // A cluster of this unit may be another destination, to which a route leads.
  const meant = typeUrl === TYPE_URL.cluster ? destinations.find(({ key }) => key === resourceName) : undefined;
  const destination = meant ?? plan.destination;
  const routes = typeUrl === TYPE_URL.cluster ? [] : applied.filter(({ kind }) => isRouting(compiled, kind));
  return [
    ...routes.flatMap(({ conf }) => krisOf(conf.origins)),
    ...touching(outboundProposals(compiled, { ...plan, destination }), typeUrl),
    ...destinationKri(destination),
  ];
}

function touching(proposals: readonly Proposal[], typeUrl: string): readonly string[] {
  return proposals.flatMap(({ change, origins }) => (touches(change, typeUrl) ? krisOf(origins) : []));
}

function isRouting({ matched }: Compiled, kind: string): boolean {
  const policy: Policy | undefined = matched.find((selected) => selected.policy.kind.type === kind)?.policy;
  return policy?.routes !== undefined;
}

function touches(change: Change | undefined, typeUrl: string): boolean {
  const isSet = (value: unknown): boolean =>
    Array.isArray(value) ? value.length > 0 : Object.values(value ?? {}).some((field) => field !== undefined);
  return (SLOTS[typeUrl] ?? []).some((slot) => isSet(change?.[slot]));
}

function krisOf(origins: readonly Origin[]): readonly string[] {
  return origins.map(({ kri }) => kri);
}

function destinationKri(destination: Destination | undefined): readonly string[] {
  return destination === undefined ? [] : [destination.kri];
}

/** The KRI of a resource, from that of one of its sections: what follows the last underscore is the section. */
function withoutSection(kri: string): string {
  return kri.slice(0, kri.lastIndexOf("_") + 1);
}
