import { contentHash } from "./canonical-json.ts";
import { LABEL, type Labels } from "./labels.ts";
import type { Resource } from "./resource.ts";

/** A proxy that refused what a policy made of its configuration. */
export interface Refusal {
  readonly dataplane: string;
  /** Of Envoy's resource; absent when none could be made, or when the proxy went away instead of answering. */
  readonly typeUrl?: string;
  readonly resource?: string;
  /** The field of Envoy's resource, as far as Envoy names it. */
  readonly field?: string;
  /** Envoy's own words. */
  readonly detail: string;
  /** KRIs of the modifications of resources that had a part in it: a MeshProxyPatch, and the position as its section. */
  readonly modifications?: readonly string[];
}

/** Why a policy is not in force, and what is in its place. */
export interface Hold {
  readonly state: "Held";
  readonly message: string;
  readonly since: string;
  readonly refusals: readonly Refusal[];
  /** Which content of the policy is held: another content is tried anew. */
  readonly of: string;
  /** What is in force instead; null when nothing is. */
  readonly inForce: { readonly spec: unknown; readonly labels: Labels } | null;
}

/** The part of a policy's status that tells of its way to the proxies. */
export interface PolicyStatus {
  readonly rollOut?: Hold;
}

/** The hold on the present content of a policy. */
export function holdOf(policy: Resource): Hold | undefined {
  const hold = (policy.status as PolicyStatus | undefined)?.rollOut;
  return hold !== undefined && hold.of === contentOf(policy) ? hold : undefined;
}

/** Differs when what a policy says differs, or whom it is for. */
export function contentOf({ spec, labels }: Pick<Resource, "spec" | "labels">): string {
  return contentHash([spec, labels]);
}

/** What is in force where a policy stands: the policy itself, what it replaced while it is held, or nothing. */
export function inForce<Spec>(policy: Resource<Spec>): Resource<Spec> | undefined {
  const hold = holdOf(policy);
  if (hold === undefined) return policy;
  // It was stored by the same schema before, which is what the `as` stands on.
  return hold.inForce === null
    ? undefined
    : { ...policy, spec: hold.inForce.spec as Spec, labels: hold.inForce.labels, status: undefined };
}

/** Whether a policy goes to all proxies at once, and stays whatever they say: its author insists. */
export function insists({ labels }: Pick<Resource, "labels">): boolean {
  return labels[LABEL.hold] === "disabled";
}
