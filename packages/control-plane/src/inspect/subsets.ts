import type { SubsetRule } from "@heddle/api/reports.ts";
import { canonicalJson } from "@heddle/model/canonical-json.ts";
import { LABEL, type Labels } from "@heddle/model/labels.ts";
import type { TargetRef } from "@heddle/model/target-ref.ts";

/** More groups of callers than this are not listed one by one. */
const MOST_SETS = 64;

/** The tags that a reference of Kuma 2.x selects by; none means everybody. */
export function tagsOf(ref: TargetRef | undefined): Labels {
  const service = ref?.kind === "MeshService" || ref?.kind === "MeshServiceSubset" ? ref.name : undefined;
  return { ...ref?.tags, ...(service === undefined ? {} : { [LABEL.service]: service }) };
}

/**
 * All groups that differ in what applies to them, those with most tags first: every given set, and every union of some
 * that one caller could be in. `isComplete` is false when there are too many, and unions were left out.
 */
export function combinations(given: readonly Labels[]): {
  readonly sets: readonly Labels[];
  readonly isComplete: boolean;
} {
  const found = new Map(given.map((set) => [canonicalJson(set), set]));
  // A Map shows what is added to it while it is walked, so unions of unions are found as well.
  for (const set of found.values()) {
    for (const other of given) {
      const union = unionOf(set, other);
      if (union === undefined) continue;
      found.set(canonicalJson(union), union);
      if (found.size > MOST_SETS) return { sets: bySize(unique(given)), isComplete: false };
    }
  }
  return { sets: bySize([...found.values()]), isComplete: true };
}

/** Whether who has all tags of `set` is meant by `group`. */
export function isWithin(group: Labels, set: Labels): boolean {
  return Object.entries(group).every(([key, value]) => set[key] === value || (value === "*" && set[key] !== undefined));
}

/** A set of tags as answers show it. */
export function matchersOf(set: Labels): SubsetRule["matchers"] {
  return Object.entries(set)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => ({ key, value, not: false }));
}

function unionOf(a: Labels, b: Labels): Labels | undefined {
  const union: Record<string, string> = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const other = union[key];
    if (other !== undefined && other !== value && other !== "*" && value !== "*") return undefined;
    if (other === undefined || other === "*") union[key] = value;
  }
  return union;
}

function unique(sets: readonly Labels[]): readonly Labels[] {
  return [...new Map(sets.map((set) => [canonicalJson(set), set])).values()];
}

function bySize(sets: readonly Labels[]): readonly Labels[] {
  return sets.toSorted((a, b) => specificity(b) - specificity(a));
}

// A tag with a value says more than one with any value.
function specificity(set: Labels): number {
  return Object.values(set).reduce((sum, value) => sum + (value === "*" ? 1 : 2), 0);
}
