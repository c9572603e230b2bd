import type { Compiled, InboundUnit, OutboundUnit } from "@heddle/engine/compile.ts";
import { outboundConf } from "@heddle/engine/match/match.ts";
import type { Change, Destination, Origin } from "@heddle/engine/plan/plan.ts";
import type { Policy } from "@heddle/engine/policy.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";

/**
 * KRIs of the resources that shaped an Envoy resource of a proxy: the policies that have a say in it, then the Dataplane
 * or MeshService that it stands for. Empty when the proxy has no such resource.
 */
export function originsOf(compiled: Compiled, typeUrl: string, resourceName: string): readonly string[] {
  const isMade = ({ resources }: Pick<InboundUnit | OutboundUnit, "resources">): boolean =>
    resources.some((each) => each.typeUrl === typeUrl && each.name === resourceName);
  const kris = [
    ...compiled.inbounds.filter(isMade).flatMap((unit) => inboundOrigins(compiled, unit, typeUrl)),
    ...compiled.outbounds.filter(isMade).flatMap((unit) => outboundOrigins(compiled, unit, typeUrl, resourceName)),
    ...compiled.whole.units.filter(isMade).flatMap(({ origins }) => krisOf(origins)),
    ...(typeUrl === TYPE_URL.endpoint ? destinationKri(compiled.destinations.get(resourceName)) : []),
  ];
  return [...new Set(kris)].filter((kri) => kri !== "");
}

/** The parts of a change that end up in a type of resource. */
const SLOTS: Readonly<Record<string, readonly (keyof Change)[]>> = {
  [TYPE_URL.listener]: ["connection", "tls", "httpFilters", "networkFilters", "accessLogs", "tracing", "callers"],
  [TYPE_URL.route]: ["route", "callers"],
  [TYPE_URL.cluster]: ["cluster", "tls"],
};

function inboundOrigins(
  { matched, whole, proxy }: Compiled,
  { plan, rules }: InboundUnit,
  typeUrl: string,
): readonly string[] {
  const policies = rules.flatMap(({ kind, rules: given }) => {
    const policy = matched.find((selected) => selected.policy.kind.type === kind)?.policy;
    const change = policy?.inbound?.(given, plan, proxy);
    return touches(change, typeUrl) ? krisOf(given.rules.map(({ origin }) => origin)) : [];
  });
  return [...wholeOrigins(whole.inbounds, typeUrl), ...policies, withoutSection(plan.kri)];
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
  const confs = compiled.matched.flatMap((selected) => {
    const conf = selected.policies.length === 0 ? undefined : outboundConf(selected, destination);
    return conf === undefined ? [] : [{ policy: selected.policy, conf }];
  });
  const settings = confs.filter(({ policy, conf }) =>
    touches(policy.outbound?.(conf.value, destination, compiled.proxy), typeUrl),
  );
  const routes = typeUrl === TYPE_URL.cluster ? [] : applied.filter(({ kind }) => isRouting(compiled, kind));
  return [
    ...wholeOrigins(compiled.whole.outbounds, typeUrl),
    ...[...routes, ...settings].flatMap(({ conf }) => krisOf(conf.origins)),
    ...destinationKri(destination),
  ];
}

function wholeOrigins(proposals: Compiled["whole"]["inbounds"], typeUrl: string): readonly string[] {
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
