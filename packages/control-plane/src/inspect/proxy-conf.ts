import { mergeConfs } from "@heddle/engine/match/merge.ts";
import type { Selected } from "@heddle/engine/match/match.ts";
import type { Origin } from "@heddle/engine/plan/plan.ts";
import type { Conf } from "@heddle/engine/policy.ts";
import { contentHash } from "@heddle/model/canonical-json.ts";
import { formatKri, kriOf } from "@heddle/model/kri.ts";

/** What a kind of policy that speaks of whole proxies says: the merge of every `default`. Undefined for other kinds. */
export function proxyConf({ policy, policies }: Selected): Conf | undefined {
  const saying = policies.flatMap(({ resource }) => (resource.spec.default === undefined ? [] : [resource]));
  if (saying.length === 0) return undefined;
  const value = mergeConfs(saying.map(({ spec }) => spec.default));
  const origins = saying.map((resource): Origin => {
    const { type, mesh, name } = resource;
    const { shortName } = policy.kind;
    return { type, mesh, name, kri: shortName === undefined ? "" : formatKri(kriOf(shortName, resource)), rule: 0 };
  });
  return { value, origins, hash: contentHash([value, origins]) };
}
