import { canonicalJson } from "@heddle/model/canonical-json.ts";
import { LABEL } from "@heddle/model/labels.ts";
import { ObjectMemo } from "../memo.ts";
import type { ProxyFacts } from "../proxy-facts.ts";
import type { Endpoint } from "../snapshot/service-view.ts";
import type { EndpointOrder, FailoverRule } from "./balancing.ts";
import type { Destination } from "./plan.ts";

/** What is read of the proxy that calls. */
export type Caller = Pick<ProxyFacts, "resource" | "mesh" | "zone">;

/** An order of instances as it is for one caller. Callers with the same `key` get the same. */
export type CallerOrder = { readonly key: string } & (
  | { readonly by: "nothing" }
  | {
      readonly by: "zone";
      readonly zone: string;
      /** The tags that the caller has, with its values. */
      readonly affinities: readonly Affinity[];
      /** Envoy looks at the weights of groups. */
      readonly weighted: boolean;
      readonly others: "anybody" | readonly FailoverRule[];
      readonly overprovisioning?: number | undefined;
    }
);

interface Affinity {
  readonly key: string;
  readonly value: string;
  readonly weight: number;
}

/** Instances that are called alike. Priority 0 is called first, and the numbers have no gaps. */
export interface EndpointGroup {
  readonly priority: number;
  readonly zone: string;
  /** The tag and value that these have in common with the caller. */
  readonly subZone: string;
  /** Absent where groups have no weights. */
  readonly weight?: number | undefined;
  readonly endpoints: readonly Endpoint[];
}

/** Every instance is called alike, wherever it is. */
export const ALL_ALIKE: CallerOrder = { key: "nothing", by: "nothing" };

/** The order without any policy: the own zone first. Kuma 2.x service tags are all alike unless their mesh says otherwise. */
export function defaultOrder(proxy: Caller, { kind }: Pick<Destination, "kind">): CallerOrder {
  if (kind === "Service" && proxy.mesh.spec.routing?.localityAwareLoadBalancing !== true) return ALL_ALIKE;
  return ownZoneFirst.get(proxy, "", () => orderFor({ by: "zone", affinities: [], others: "anybody" }, proxy));
}

const ownZoneFirst = new ObjectMemo<Caller, CallerOrder>();

/** What an order means for one caller. */
export function orderFor(order: EndpointOrder, proxy: Caller): CallerOrder {
  if (order.by === "nothing") return ALL_ALIKE;
  const affinities = order.affinities.flatMap(({ key, weight }): Affinity[] => {
    const value = tagOf(proxy, key);
    return value === undefined ? [] : [{ key, value, weight }];
  });
  const { others, overprovisioning } = order;
  const weighted = order.affinities.length > 0;
  return withKey({ zone: zoneOf(proxy), affinities, weighted, others, overprovisioning });
}

/**
 * The same order without the tag values that none of these instances has: nothing follows from them. So the orders of
 * a service are as many as its instances differ in, however many callers with values of their own there are.
 */
export function relevantOrder(order: CallerOrder, endpoints: readonly Endpoint[]): CallerOrder {
  if (order.by === "nothing" || order.affinities.length === 0) return order;
  const affinities = order.affinities.filter(({ key, value }) => valuesOf(endpoints, key).has(value));
  return affinities.length === order.affinities.length ? order : withKey({ ...order, affinities });
}

type Zoned = CallerOrder & { readonly by: "zone" };

function withKey({ zone, affinities, weighted, others, overprovisioning }: Omit<Zoned, "key" | "by">): CallerOrder {
  const content = { by: "zone" as const, zone, affinities, weighted, others, overprovisioning };
  return { ...content, key: canonicalJson(content) };
}

function valuesOf(endpoints: readonly Endpoint[], key: string): ReadonlySet<string | undefined> {
  return knownValues.get(endpoints, key, () => new Set(endpoints.map((endpoint) => affinityValue(endpoint, key))));
}

const knownValues = new ObjectMemo<readonly Endpoint[], ReadonlySet<string | undefined>>();

/** Puts instances into the groups in which a caller calls them; those it must not call are in none. */
export function groupsOf(endpoints: readonly Endpoint[], order: CallerOrder): readonly EndpointGroup[] {
  const spotOf = spotsFor(order);
  const groups = new Map<string, Spot & { readonly zone: string; readonly endpoints: Endpoint[] }>();
  for (const endpoint of endpoints) {
    const spot = spotOf(endpoint);
    if (spot === undefined) continue;
    const { zone } = endpoint;
    const key = JSON.stringify([zone, spot.subZone]);
    const group = groups.get(key) ?? { ...spot, zone, endpoints: [] };
    group.endpoints.push(endpoint);
    groups.set(key, group);
  }
  const ranks = [...new Set([...groups.values()].map(({ rank }) => rank))].toSorted((a, b) => a - b);
  const isWeighted = order.by === "zone" && order.weighted;
  const made = [...groups.values()].map(({ rank, zone, subZone, weight, endpoints: members }) => {
    const priority = ranks.indexOf(rank);
    // In another zone every instance counts the same.
    return { priority, zone, subZone, weight: isWeighted ? (weight ?? members.length) : undefined, endpoints: members };
  });
  return made.toSorted((a, b) => a.priority - b.priority || compare(a.zone, b.zone) || compare(a.subZone, b.subZone));
}

interface Spot {
  /** The lower, the earlier; ranks may be missing. */
  readonly rank: number;
  readonly subZone: string;
  readonly weight?: number | undefined;
}

function spotsFor(order: CallerOrder): (endpoint: Endpoint) => Spot | undefined {
  if (order.by === "nothing") return () => FIRST;
  const { zone: own, affinities, others } = order;
  const rules = others === "anybody" ? ANYBODY : rulesFor(own, others);
  return (endpoint) => {
    if (endpoint.zone === own) {
      const near = affinities.find(({ key, value }) => affinityValue(endpoint, key) === value);
      return near === undefined ? LOCAL : { rank: 0, subZone: `${near.key}=${near.value}`, weight: near.weight };
    }
    const rule = rules.findIndex((each) => leadsTo(each, endpoint.zone));
    return rule === -1 ? undefined : { rank: rule + 1, subZone: "" };
  };
}

const FIRST: Spot = { rank: 0, subZone: "" };
const LOCAL: Spot = { rank: 0, subZone: "", weight: 1 };
const ANYBODY: readonly FailoverRule[] = [{ to: "Any", zones: [] }];

function rulesFor(zone: string, rules: readonly FailoverRule[]): readonly FailoverRule[] {
  const mine = rules.filter(({ from }) => from === undefined || from.includes(zone));
  const end = mine.findIndex(({ to }) => to === "None");
  return end === -1 ? mine : mine.slice(0, end);
}

function leadsTo({ to, zones }: FailoverRule, zone: string): boolean {
  switch (to) {
    case "None":
      return false;
    case "Any":
      return true;
    case "Only":
      return zones.includes(zone);
    case "AnyExcept":
      return !zones.includes(zone);
  }
}

function affinityValue({ tags, labels }: Endpoint, key: string): string | undefined {
  return tags[key] ?? labels?.[key];
}

function zoneOf(proxy: Caller): string {
  return tagOf(proxy, LABEL.zone) ?? proxy.zone;
}

// The first value by the alphabet where inbounds do not agree, as Kuma does it; a label where there is no such tag.
function tagOf({ resource: { labels, spec } }: Caller, key: string): string | undefined {
  const { inbound = [], gateway } = spec.networking;
  const values = [gateway?.tags?.[key], ...inbound.map(({ tags }) => tags?.[key])];
  return values.filter((value) => value !== undefined).toSorted()[0] ?? labels[key];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
