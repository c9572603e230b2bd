import { displayName, LABEL } from "@heddle/model/labels.ts";
import type { Resource } from "@heddle/model/resource.ts";
import type { TargetRef } from "@heddle/model/target-ref.ts";

/** One entry of a policy's `to`, `from` or `rules`, or the whole policy where it has a single `default`. */
export interface Entry {
  readonly policy: Resource<PolicySpec>;
  readonly section: "to" | "from" | "rules" | "default";
  /** Position in its section. */
  readonly index: number;
  readonly ref: TargetRef | undefined;
  readonly item: Readonly<Record<string, unknown>>;
}

/** The part of every policy's spec that matching reads. */
export interface PolicySpec {
  readonly targetRef?: TargetRef | undefined;
  readonly to?: readonly Section[] | undefined;
  readonly from?: readonly Section[] | undefined;
  readonly rules?: readonly Section[] | undefined;
  readonly default?: unknown;
}
type Section = Readonly<Record<string, unknown>> & { readonly targetRef?: TargetRef | undefined };

const TOP_ORDER = [
  "Mesh",
  "Dataplane",
  "MeshSubset",
  "MeshGateway",
  "MeshService",
  "MeshExternalService",
  "MeshMultiZoneService",
  "MeshServiceSubset",
  "MeshHTTPRoute",
];
const TO_ORDER = [
  "Mesh",
  "Dataplane",
  "MeshSubset",
  "MeshService",
  "MeshServiceSubset",
  "MeshExternalService",
  "MeshMultiZoneService",
  "MeshHTTPRoute",
];
const ORIGINS = ["global", "", "zone"];
const ROLES = ["", "system", "producer", "consumer", "workload-owner"];

/**
 * Orders policies from the weakest to the strongest, so that a later one overrides an earlier one: kind of the top
 * targetRef, name over labels, section over none, origin, role, and last the name, where the alphabetically first wins.
 * Total: two different policies never compare as equal.
 */
export function byPrecedence(a: Resource<PolicySpec>, b: Resource<PolicySpec>): number {
  return compareTop(a, b) || compareNames(a, b);
}

/** The same for entries of `to`: what they point at weighs less than the policy's own target, more than its name. */
export function byEntryPrecedence(a: Entry, b: Entry): number {
  return (
    compareTop(a.policy, b.policy) ||
    toRank(a.ref) - toRank(b.ref) ||
    compareNames(a.policy, b.policy) ||
    a.index - b.index
  );
}

function compareTop(a: Resource<PolicySpec>, b: Resource<PolicySpec>): number {
  return (
    topRank(a.spec.targetRef) - topRank(b.spec.targetRef) ||
    ORIGINS.indexOf(a.labels[LABEL.origin] ?? "") - ORIGINS.indexOf(b.labels[LABEL.origin] ?? "") ||
    ROLES.indexOf(a.labels[LABEL.policyRole] ?? "") - ROLES.indexOf(b.labels[LABEL.policyRole] ?? "")
  );
}

function topRank(ref: TargetRef | undefined): number {
  const kind = TOP_ORDER.indexOf(ref?.kind ?? "Mesh") * 4;
  return (
    kind + (ref?.kind === "Dataplane" && ref.name !== undefined ? 2 : 0) + (ref?.sectionName === undefined ? 0 : 1)
  );
}

function toRank(ref: TargetRef | undefined): number {
  return TO_ORDER.indexOf(ref?.kind ?? "Mesh") * 2 + (ref?.sectionName === undefined ? 0 : 1);
}

// Display names may repeat between zones and namespaces; the stored name settles what is left.
function compareNames(a: Resource, b: Resource): number {
  return compareText(displayName(b), displayName(a)) || compareText(b.name, a.name);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
