import { contentHash } from "@heddle/model/canonical-json.ts";
import { formatKri, kriOf } from "@heddle/model/kri.ts";
import { displayName, LABEL, type Labels, matchesLabels } from "@heddle/model/labels.ts";
import type { Resource } from "@heddle/model/resource.ts";
import type { Match, TargetRef } from "@heddle/model/target-ref.ts";
import { idOf, type Memo, ObjectMemo } from "../memo.ts";
import type { Destination, Origin } from "../plan/plan.ts";
import type { Client, Conf, InboundRule, InboundRules, Policy } from "../policy.ts";
import { legacySource } from "../snapshot/legacy.ts";
import type { DataplaneEntry, MeshSnapshot } from "../snapshot/snapshot.ts";
import { effective } from "./effective.ts";
import { mergeConfs } from "./merge.ts";
import { byEntryPrecedence, type Entry, type PolicySpec } from "./precedence.ts";
import { type Reach, reachOf } from "./select.ts";

/**
 * The policies of one kind that select a proxy, from the weakest to the strongest. One object for all proxies that the
 * same policies select in the same way, so that what follows from it is worked out once.
 */
export interface Selected {
  readonly policy: Policy;
  readonly policies: readonly { readonly resource: Resource<PolicySpec>; readonly reach: Reach }[];
}

/** For one proxy, what each kind of policy has to say, in the order of the list of kinds. */
export type Matched = readonly Selected[];

/** A route that policies can point at. */
export interface RouteTarget {
  readonly name: string;
  readonly labels: Labels;
}

/** Finds the policies that select a proxy. Kinds without any stay in the list: their hooks may still have a say. */
export function match(
  mesh: MeshSnapshot,
  proxy: DataplaneEntry["resource"],
  policies: readonly Policy[],
  memo: Memo,
): Matched {
  const matched = policies.map((policy): Selected => {
    const selected = (mesh.policies.get(policy.kind.type) ?? []).flatMap((resource) => {
      const reach = reachOf(resource, mesh, proxy);
      return reach === undefined ? [] : [{ resource, reach }];
    });
    const key = `selected|${idOf(policy)}|${selected.map(selectionText).join()}`;
    return memo.share(key, () => ({ policy, policies: selected }));
  });
  return memo.share(`matched|${matched.map(idOf).join()}`, () => matched);
}

function selectionText({ resource, reach }: Selected["policies"][number]): string {
  return reach === "all" ? String(idOf(resource)) : `${idOf(resource)}#${[...reach].join("#")}`;
}

/** What all selecting policies together say about a destination, or about one route to it. */
export function outboundConf(selected: Selected, destination: Destination, route?: RouteTarget): Conf | undefined {
  const entries = outboundEntries(selected).filter((entry) => isAbout(entry, destination, route));
  if (entries.length === 0) return undefined;
  const key = entries.map(({ position }) => position).join();
  // Most destinations are meant by the same entries, and then what these say is the same.
  return outboundConfs.get(selected, key, () => mergedConf(selected.policy, effective(entries)));
}

const outboundConfs = new ObjectMemo<Selected, Conf>();
const sortedEntries = new ObjectMemo<Selected, readonly PlacedEntry[]>();
type PlacedEntry = Entry & { readonly position: number };

function outboundEntries(selected: Selected): readonly PlacedEntry[] {
  return sortedEntries.get(selected, "to", () =>
    selected.policies
      .flatMap((each) =>
        selected.policy.rulesMeanBothWays === true ? rulesOfAll(each) : entriesOf(each.resource, "to"),
      )
      .toSorted(byEntryPrecedence)
      .map((entry, position) => ({ ...entry, position })),
  );
}

function rulesOfAll({ resource, reach }: Selected["policies"][number]): readonly Entry[] {
  if (reach !== "all") return [];
  const entries = [...entriesOf(resource, "from"), ...entriesOf(resource, "rules")];
  return entries.filter((entry) => isEveryone(clientOf(entry)));
}

function mergedConf(policy: Policy, entries: readonly Entry[]): Conf {
  const confs = entries.map(({ item }) => policy.toConf?.(item) ?? item["default"] ?? {});
  const origins = entries.map(originOf(policy));
  return confOf(policy.merge?.(confs, origins) ?? mergeConfs(confs), origins);
}

/** Whether one of the policies says something about routes rather than destinations. */
export function pointsAtRoutes(selected: Selected): boolean {
  return outboundEntries(selected).some(
    ({ ref, policy }) => ref?.kind === "MeshHTTPRoute" || policy.spec.targetRef?.kind === "MeshHTTPRoute",
  );
}

/** What all selecting policies together say about the proxy as a whole: the merge of every `default`. */
export function proxyConf(selected: Selected): Conf | undefined {
  return proxyConfs.get(selected, "", () => {
    const entries = selected.policies.flatMap(({ resource }) =>
      resource.spec.default === undefined ? [] : [defaultEntry(resource)],
    );
    return entries.length === 0 ? undefined : mergedConf(selected.policy, effective(entries));
  });
}

const proxyConfs = new ObjectMemo<Selected, Conf | undefined>();

/** All rules for one inbound: `rules`, `from`, and for policies that have neither the `default` of the whole. */
export function inboundRules(selected: Selected, inbound: string): InboundRules {
  return rulesByInbound.get(selected, inbound, () => makeInboundRules(selected, inbound));
}

const rulesByInbound = new ObjectMemo<Selected, InboundRules>();

function makeInboundRules({ policy, policies }: Selected, inbound: string): InboundRules {
  const entries = policies
    .filter(({ reach }) => reach === "all" || reach.has(inbound))
    .flatMap(({ resource }) => [
      ...entriesOf(resource, "from"),
      ...entriesOf(resource, "rules"),
      ...(resource.spec.default === undefined ? [] : [defaultEntry(resource)]),
    ]);
  const rules = effective(entries).map((entry): InboundRule => ({
    client: clientOf(entry),
    conf: entry.item["default"] ?? {},
    origin: originOf(policy)(entry),
  }));
  const shared = rules.filter(({ client }) => isEveryone(client));
  const everyone =
    shared.length === 0
      ? undefined
      : confOf(
          mergeConfs(shared.map(({ conf }) => conf)),
          shared.map(({ origin }) => origin),
        );
  return { rules, everyone, hash: contentHash(rules) };
}

function entriesOf(policy: Resource<PolicySpec>, section: "to" | "from" | "rules"): readonly Entry[] {
  return (policy.spec[section] ?? []).map((item, index) => ({
    policy,
    section,
    index,
    ref: item.targetRef,
    item,
  }));
}

function defaultEntry(policy: Resource<PolicySpec>): Entry {
  return {
    policy,
    section: "default",
    index: 0,
    ref: undefined,
    item: { default: policy.spec.default },
  };
}

function clientOf({ section, ref, item }: Entry): Client | undefined {
  if (section === "from") return ref === undefined || ref.kind === "Mesh" ? undefined : { by: "targetRef", ref };
  const matches = item["matches"] as readonly Match[] | undefined;
  return matches === undefined || matches.length === 0 ? undefined : { by: "matches", matches };
}

function isEveryone(client: Client | undefined): boolean {
  return client === undefined;
}

function isAbout({ ref, policy }: Entry, destination: Destination, route: RouteTarget | undefined): boolean {
  const top = policy.spec.targetRef;
  // Kuma 2.x: a policy whose own target is a route says what it says about that route only.
  return (top?.kind !== "MeshHTTPRoute" || pointsAtRoute(top, route)) && pointsAt(ref, destination, route);
}

/** Whether a `to` entry is about a destination; with a route, whether it is about that route or the destination. */
export function pointsAt(
  ref: TargetRef | undefined,
  destination: Destination,
  route: RouteTarget | undefined,
): boolean {
  switch (ref?.kind) {
    case undefined:
    case "Mesh":
      return true;
    case "MeshService":
      return pointsAtService(ref, destination);
    case "MeshServiceSubset":
      return matchesLabels({ ...ref.tags, [LABEL.service]: ref.name ?? "" }, destination.tags);
    case "MeshHTTPRoute":
      return pointsAtRoute(ref, route);
    case "MeshExternalService":
    case "MeshMultiZoneService":
      return destination.kind === ref.kind && isPort(ref, destination) && isNamed(ref, destination);
    case "MeshGateway":
    case "MeshSubset":
    case "Dataplane":
      return false;
  }
}

function pointsAtRoute({ name, labels }: TargetRef, route: RouteTarget | undefined): boolean {
  if (route === undefined) return false;
  return name === undefined ? matchesLabels(labels ?? {}, route.labels) : name === route.name;
}

function pointsAtService(ref: TargetRef, destination: Destination): boolean {
  if (!isPort(ref, destination)) return false;
  if (ref.labels !== undefined)
    return destination.kind === "MeshService" && matchesLabels(ref.labels, destination.labels);
  // In Kuma 2.x a name in `to` means the service tag as well as the resource of that name.
  return (
    ref.name === destination.tags[LABEL.service] ||
    (destination.kind === "MeshService" && ref.name === displayName(destination))
  );
}

function isPort({ sectionName }: TargetRef, { section, port }: Destination): boolean {
  return sectionName === undefined || sectionName === section || sectionName === String(port);
}

function isNamed({ name, labels }: TargetRef, destination: Destination): boolean {
  return labels === undefined ? name === displayName(destination) : matchesLabels(labels, destination.labels);
}

function confOf(value: unknown, origins: readonly Origin[]): Conf {
  return { value, origins, hash: contentHash([value, origins]) };
}

// A policy that stands for one of Kuma 2.x is shown as what a user wrote.
function originOf(policy: Policy): (entry: Entry) => Origin {
  return ({ policy: matched, index }) => {
    const source = legacySource(matched);
    const { type, mesh, name } = source?.resource ?? matched;
    const shortName = source?.shortName ?? policy.kind.shortName;
    const kri = shortName === undefined ? "" : formatKri(kriOf(shortName, source?.resource ?? matched));
    return { type, mesh, name, kri, rule: index };
  };
}
