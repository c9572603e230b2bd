import type { PolicyRules } from "@heddle/api/reports.ts";
import type { Compiled, InboundUnit } from "@heddle/engine/compile.ts";
import { callersOf } from "@heddle/engine/match/callers.ts";
import type { Selected } from "@heddle/engine/match/match.ts";
import type { InboundRule, InboundRules, Policy } from "@heddle/engine/policy.ts";
import { asWritten } from "@heddle/engine/snapshot/legacy.ts";
import { canonicalJson } from "@heddle/model/canonical-json.ts";
import type { Match } from "@heddle/model/target-ref.ts";
import type { Metas } from "./meta.ts";

type Reported = PolicyRules["inboundRules"][number];

/** What a kind of policy says about requests that come in, by inbound: for some callers, then for everybody. */
export function inboundRules({ inbounds }: Compiled, selected: Selected, metas: Metas): readonly Reported[] {
  return inbounds.flatMap((unit) => {
    const rules = rulesFor(unit, selected);
    const reported = rules === undefined ? [] : [...forSome(rules, metas), ...forAll(selected.policy, rules, metas)];
    return reported.length === 0 ? [] : [{ inbound: inboundRef(unit), rules: reported }];
  });
}

/** How an answer names an inbound. */
export function inboundRef({ plan: { name, port, tags } }: InboundUnit): Reported["inbound"] {
  return { name, port, tags };
}

/** The rules of one kind for an inbound, as the proxy was compiled with them; `from` that tells callers apart is not here. */
function rulesFor({ rules }: InboundUnit, { policy, policies }: Selected): InboundRules | undefined {
  const found = rules.find(({ kind }) => kind === policy.kind.type)?.rules;
  if (found === undefined || !tellsTagsApart(policy)) return found;
  const written = policies.filter(({ resource }) => resource.spec.rules !== undefined);
  const names = namesOf(written);
  return { ...found, rules: found.rules.filter(({ origin }) => names.has(nameOf(origin))) };
}

/** What users call these policies: those of Kuma 2.x are matched as what they stand for. */
export function namesOf(policies: Selected["policies"]): ReadonlySet<string> {
  return new Set(policies.map(({ resource }) => nameOf(asWritten(resource))));
}

/** What users call a policy. */
export function nameOf({ type, name }: { readonly type: string; readonly name: string }): string {
  return `${type}/${name}`;
}

/** Whether `from` of this kind may name some callers by their tags; one that only ever means all is a rule like others. */
export function tellsTagsApart({ kind }: Policy): boolean {
  return kind.policy.from.some((target) => target !== "Mesh");
}

function forSome(rules: InboundRules, metas: Metas): Reported["rules"] {
  return callersOf(rules).map(({ match, conf }) => {
    const sources = rules.rules.filter((rule) => isFor(rule, match));
    return { match, conf: [conf], origin: sources.map(({ origin }) => metas.origin(origin)) };
  });
}

function isFor({ client }: InboundRule, match: Match): boolean {
  const key = canonicalJson(match);
  return client?.by === "matches" && client.matches.some((each) => canonicalJson(each) === key);
}

function forAll(policy: Policy, { rules, everyone }: InboundRules, metas: Metas): Reported["rules"] {
  if (policy.keepsRulesApart !== true) {
    if (everyone === undefined) return [];
    return [{ conf: [everyone.value], origin: everyone.origins.map((origin) => metas.origin(origin)) }];
  }
  const shared = rules.filter(({ client }) => client === undefined);
  if (shared.length === 0) return [];
  return [{ conf: shared.map(({ conf }) => conf), origin: shared.map(({ origin }) => metas.origin(origin)) }];
}
