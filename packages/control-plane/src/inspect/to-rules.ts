import type { SubsetRule } from "@heddle/api/reports.ts";
import { outboundConf, type Selected } from "@heddle/engine/match/match.ts";
import type { Destination } from "@heddle/engine/plan/plan.ts";
import { canonicalJson } from "@heddle/model/canonical-json.ts";
import { LABEL, type Labels } from "@heddle/model/labels.ts";
import type { TargetRef } from "@heddle/model/target-ref.ts";
import type { Metas } from "./meta.ts";
import { confAsWritten } from "./route-rules.ts";
import type { Subject } from "./subject.ts";
import { matchersOf, tagsOf } from "./subsets.ts";
import { ELSEWHERE } from "./to-resource-rules.ts";

/**
 * What a kind of policy says about destinations of Kuma 2.x, which are sets of tags; the first match is meant. Empty for
 * a proxy that has no such destination and whose policies name none.
 */
export function toRules({ snapshot, compiled }: Subject, selected: Selected, metas: Metas): readonly SubsetRule[] {
  if (selected.policy.kind.policy.to.length === 0) return [];
  const refs = selected.policies.flatMap(({ resource }) => (resource.spec.to ?? []).map(({ targetRef }) => targetRef));
  const named = refs.filter((ref) => isByTags(ref, snapshot.views)).map((ref) => tagsOf(ref));
  const isLegacy = [...compiled.destinations.values()].some(({ kind }) => kind === "Service");
  if (named.length === 0 && !isLegacy) return [];
  const sets = new Map([...named, {}].map((set) => [canonicalJson(set), set]));
  return [...sets.values()]
    .toSorted((a, b) => Object.keys(b).length - Object.keys(a).length)
    .flatMap((set) => ruleFor(selected, set, metas));
}

function isByTags(ref: TargetRef | undefined, views: Subject["snapshot"]["views"]): boolean {
  if (ref?.kind === "MeshServiceSubset") return true;
  return ref?.kind === "MeshService" && ref.name !== undefined && views.has(`Service/${ref.name}`);
}

function ruleFor(selected: Selected, tags: Labels, metas: Metas): readonly SubsetRule[] {
  const name = tags[LABEL.service] ?? "";
  const destination: Destination = { ...ELSEWHERE, name, tags };
  const conf = outboundConf(selected, destination);
  if (conf === undefined) return [];
  const origins = new Map(conf.origins.map((origin) => [origin.name, metas.ofOrigin(origin)]));
  return [{ matchers: matchersOf(tags), conf: confAsWritten(selected.policy, conf), origin: [...origins.values()] }];
}
