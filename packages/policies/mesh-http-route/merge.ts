import { mergeConfs } from "@heddle/engine/match/merge.ts";
import type { Origin } from "@heddle/engine/plan/plan.ts";
import { canonicalJson } from "@heddle/model/canonical-json.ts";
import type { RouteItem, RouteRule } from "./schema.ts";

/** A rule with the policies it is made of, the weakest first, and its place in the strongest one. */
export interface OriginalRule extends RouteRule {
  readonly origins: readonly Origin[];
  readonly index: number;
}

/** The routes towards one destination, from all policies. */
export interface MergedRoutes {
  readonly rules: readonly OriginalRule[];
}

/**
 * Merges the routes of several policies: rules with the same matches become one, in which the stronger policy has the
 * last word. The rules of the stronger policy come first; those of one policy stay in the order they are written in.
 */
export function mergeRoutes(items: readonly RouteItem[], origins: readonly Origin[]): MergedRoutes {
  const found = new Map<string, OriginalRule>();
  for (const [position, { rules }] of [...items.entries()].toReversed()) {
    const origin = origins[position];
    for (const [index, rule] of rules.entries()) {
      const key = canonicalJson(rule.matches);
      const own = { ...rule, origins: origin === undefined ? [] : [origin], index };
      const stronger = found.get(key);
      found.set(key, stronger === undefined ? own : beneath(stronger, own));
    }
  }
  return { rules: [...found.values()] };
}

function beneath(stronger: OriginalRule, weaker: OriginalRule): OriginalRule {
  const conf = mergeConfs([weaker.default, stronger.default]) as RouteRule["default"];
  return { ...stronger, default: conf, origins: [...weaker.origins, ...stronger.origins] };
}
