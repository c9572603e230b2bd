import type { PolicyRules, SubsetRule } from "@heddle/api/reports.ts";
import type { Compiled } from "@heddle/engine/compile.ts";
import { mergeConfs } from "@heddle/engine/match/merge.ts";
import type { Selected } from "@heddle/engine/match/match.ts";
import type { InboundRule } from "@heddle/engine/policy.ts";
import { inboundRef, nameOf, namesOf, tellsTagsApart } from "./inbound-rules.ts";
import type { Metas } from "./meta.ts";
import { combinations, isWithin, matchersOf, tagsOf } from "./subsets.ts";

type FromRules = NonNullable<PolicyRules["fromRules"]>;

/** What a kind of policy of Kuma 2.x says about requests that come in, by the tags of callers; the first match is meant. */
export function fromRules(
  { inbounds }: Compiled,
  { policy, policies }: Selected,
  metas: Metas,
): { readonly rules: FromRules; readonly warnings: readonly string[] } {
  if (!tellsTagsApart(policy)) return { rules: [], warnings: [] };
  const written = policies.filter(({ resource }) => resource.spec.from !== undefined);
  const names = namesOf(written);
  const found = inbounds.map((unit) => {
    const all = unit.rules.find(({ kind }) => kind === policy.kind.type)?.rules.rules ?? [];
    const { rules, isComplete } = subsetRules(all.filter(isFrom(names)), metas);
    return { inbound: inboundRef(unit), rules, isComplete };
  });
  const rules = found.flatMap(({ inbound, rules: given }) => (given.length === 0 ? [] : [{ inbound, rules: given }]));
  const cut = found.filter(({ isComplete }) => !isComplete);
  const warnings = cut.map(
    ({ inbound }) => `inbound ${inbound.name ?? inbound.port}: callers that several groups mean are too many to list`,
  );
  return { rules, warnings };
}

// A policy has `from` or `rules`, never both.
function isFrom(names: ReadonlySet<string>): (rule: InboundRule) => boolean {
  return ({ origin }) => names.has(nameOf(origin));
}

function subsetRules(
  rules: readonly InboundRule[],
  metas: Metas,
): { readonly rules: readonly SubsetRule[]; readonly isComplete: boolean } {
  const groups = rules.map(({ client }) => tagsOf(client?.by === "targetRef" ? client.ref : undefined));
  const { sets, isComplete } = combinations(groups);
  const reported = sets.map((set): SubsetRule => {
    const meant = rules.filter((_, index) => isWithin(groups[index] ?? {}, set));
    const origins = meant.map(({ origin }) => metas.ofOrigin(origin));
    return {
      matchers: matchersOf(set),
      conf: mergeConfs(meant.map(({ conf }) => conf)),
      origin: [...new Map(origins.map((meta) => [meta.name, meta])).values()],
    };
  });
  return { rules: reported, isComplete };
}
