import { type Passthrough, redirectedOutboundPort } from "@heddle/engine/plan/passthrough.ts";
import { definePolicy } from "@heddle/engine/policy.ts";
import { chainsOf, clustersOf, readMatches } from "./chains.ts";
import { meshPassthroughKind, type PassthroughConf } from "./schema.ts";

/** What applications may call outside of the mesh. */
export const meshPassthrough = definePolicy<never, never, PassthroughConf>({
  kind: meshPassthroughKind,
  proxy: ({ value }, { resource }) =>
    redirectedOutboundPort(resource.spec.networking) === undefined
      ? { warnings: [NO_EFFECT] }
      : { passthrough: passthroughOf(value) },
});

const NO_EFFECT =
  "has no effect on this proxy: connections of its application are not redirected to it, because the Dataplane has no networking.transparentProxying.redirectPortOutbound";

function passthroughOf({ passthroughMode = "Matched", appendMatch = [] }: PassthroughConf): Passthrough {
  if (passthroughMode === "All") return { mode: "all" };
  const matches = readMatches(appendMatch);
  if (passthroughMode === "None" || matches.length === 0) return { mode: "none" };
  return {
    mode: "matched",
    chains: chainsOf(matches),
    clusters: clustersOf(matches),
    uninspectedPorts: matches.flatMap(({ protocol, port }) => (protocol === "mysql" && port ? [port] : [])),
  };
}
