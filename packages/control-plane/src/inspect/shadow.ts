import type { PolicySpec } from "@heddle/engine/match/precedence.ts";
import type { MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import { LABEL } from "@heddle/model/labels.ts";
import type { Resource } from "@heddle/model/resource.ts";

/** The mesh as it would be if every policy labelled `kuma.io/effect: shadow` were real. */
export function withShadowPolicies(mesh: MeshSnapshot): MeshSnapshot {
  const policies = new Map([...mesh.policies].map(([type, list]) => [type, list.map(unshadowed)]));
  return { ...mesh, policies };
}

/** A policy without its shadow label. Its version stays: stored under one version, it is never both. */
export function unshadowed(policy: Resource<PolicySpec>): Resource<PolicySpec> {
  if (policy.labels[LABEL.effect] !== "shadow") return policy;
  const { [LABEL.effect]: _shadow, ...labels } = policy.labels;
  return { ...policy, labels };
}
