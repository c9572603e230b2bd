import { mergeConfs } from "@heddle/engine/match/merge.ts";
import { definePolicy } from "@heddle/engine/policy.ts";
import { meshProxyPatchKind } from "./kind.ts";
import { patchResources } from "./patch.ts";
import type { PatchConf } from "./schema.ts";
import { noteSource, stepsOf } from "./steps.ts";

/** Changes of what Envoy gets, for what no other policy can say. Comes after all others, and has the last word. */
export const meshProxyPatch = definePolicy<PatchConf, never, PatchConf>({
  kind: meshProxyPatchKind,
  merge: (confs, origins) => {
    for (const [at, { appendModifications = [] }] of confs.entries()) {
      const origin = origins[at];
      if (origin === undefined) continue;
      for (const [index, each] of appendModifications.entries()) noteSource(each, origin, index);
    }
    return mergeConfs(confs) as PatchConf;
  },
  patch: ({ value: { appendModifications = [] } }, resources, factsOf) =>
    patchResources(stepsOf(appendModifications), resources, factsOf),
});
