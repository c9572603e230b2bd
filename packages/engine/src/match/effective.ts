import { addRanks, compareRanks, type Rank } from "@heddle/model/legacy/selector.ts";
import { legacySource, type LegacySource } from "../snapshot/legacy.ts";
import type { Entry } from "./precedence.ts";

/**
 * The entries that count of those that are about the same requests. Policies of today all count and are merged. Those
 * of Kuma 2.x give way to them, and among themselves the most specific one counts, or all do, the most specific last.
 */
export function effective<E extends Entry>(entries: readonly E[]): readonly E[] {
  const old = entries.filter(isLegacy);
  if (old.length === 0) return entries;
  const today = entries.filter((entry) => !isLegacy(entry));
  const staying = today.length === 0 ? old : old.filter((entry) => sourceOf(entry).staysBeside);
  return [...chosen(staying), ...today];
}

function isLegacy({ policy }: Entry): boolean {
  return legacySource(policy) !== undefined;
}

function chosen<E extends Entry>(entries: readonly E[]): readonly E[] {
  const [first] = entries;
  if (first === undefined) return entries;
  if (sourceOf(first).choice === "all") return oncePerResource(entries).toSorted(byItem);
  const best = entries.toSorted(first.section === "to" ? byBoth : byTop).at(-1) ?? first;
  // What one policy says to several callers is several entries.
  return best.section === "to" ? [best] : entries.filter(({ policy }) => policy === best.policy);
}

/** Several selectors of a resource may mean the same inbound, which it is about only once. */
function oncePerResource<E extends Entry>(entries: readonly E[]): readonly E[] {
  const first = new Map(entries.toReversed().map(({ policy }) => [sourceOf({ policy }).resource, policy]));
  return entries.filter(({ policy }) => first.get(sourceOf({ policy }).resource) === policy);
}

// Clients ask how much is said about who sends and where to; servers how much is said about who gets it.
function byBoth(a: Entry, b: Entry): number {
  return compareRanks(rankOfBoth(a), rankOfBoth(b)) || byAge(a, b);
}

function byTop(a: Entry, b: Entry): number {
  return compareRanks(sourceOf(a).rank, sourceOf(b).rank) || byAge(a, b);
}

function byItem(a: Entry, b: Entry): number {
  return compareRanks(rankOfItem(a), rankOfItem(b)) || byAge(a, b);
}

/** The newest wins; of those written at the same moment the alphabetically first. */
function byAge(a: Entry, b: Entry): number {
  const [one, other] = [sourceOf(a).resource, sourceOf(b).resource];
  return compareText(one.creationTime, other.creationTime) || compareText(other.name, one.name) || b.index - a.index;
}

function rankOfBoth(entry: Entry): Rank {
  return addRanks(sourceOf(entry).rank, rankOfItem(entry));
}

function rankOfItem(entry: Entry): Rank {
  return sourceOf(entry).itemRanks[entry.index] ?? NOTHING;
}

const NOTHING: Rank = { tags: 0, exact: 0 };

function sourceOf({ policy }: Pick<Entry, "policy">): LegacySource {
  const source = legacySource(policy);
  if (source === undefined) throw new Error(`"${policy.name}" stands for no policy of Kuma 2.x`);
  return source;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
