import { canonicalJson } from "@heddle/model/canonical-json.ts";
import type { Match } from "@heddle/model/target-ref.ts";
import type { InboundRules } from "../policy.ts";
import { mergeConfs } from "./merge.ts";

/** What rules say for some callers. */
export interface CallerConf<T> {
  readonly match: Match;
  readonly conf: T;
}

/**
 * The rules that are for some callers only, one for each match, in the order in which they are to be tried: exact SPIFFE
 * IDs, then prefixes with the longer one first, then server names; among equals the stronger rule first. Rules with the
 * same match are merged. What the rules say for everybody is not in here.
 */
export function callersOf<T>(
  { rules }: InboundRules<T>,
  merge: (weak: T, strong: T) => T = (weak, strong) => mergeConfs([weak, strong]) as T,
): readonly CallerConf<T>[] {
  const found = new Map<string, CallerConf<T>>();
  for (const { client, conf } of rules) {
    for (const match of client?.by === "matches" ? client.matches : []) {
      const key = canonicalJson(match);
      const weaker = found.get(key);
      // Taken out and put in again, so that it stands where its strongest rule stands.
      found.delete(key);
      found.set(key, { match, conf: weaker === undefined ? conf : merge(weaker.conf, conf) });
    }
  }
  return [...found.values()].toReversed().toSorted((a, b) => rank(a.match) - rank(b.match));
}

function rank({ spiffeID }: Match): number {
  if (spiffeID === undefined) return AFTER_PREFIXES;
  return spiffeID.type === "Exact" ? BEFORE_PREFIXES : -spiffeID.value.length;
}

const BEFORE_PREFIXES = -1e6;
const AFTER_PREFIXES = 1;
