import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import type { Kind, PolicyTraits } from "@heddle/model/kind.ts";
import type { Match, TargetRef } from "@heddle/model/target-ref.ts";
import type {
  Change,
  Destination,
  InboundPlan,
  Origin,
  Patched,
  ProxyChange,
  ResourceFacts,
  Resources,
  RoutePlan,
} from "./plan/plan.ts";
import type { ProxyFacts } from "./proxy-facts.ts";

/** A setting as users wrote it for one place, merged from all policies that reach it, with where it came from. */
export interface Conf<T = unknown> {
  readonly value: T;
  /** The weakest first; the last one had the last word. */
  readonly origins: readonly Origin[];
  /** Differs when value or origins differ. */
  readonly hash: string;
}

/** Tells what is known of a resource that the proxy gets; nothing of one that a policy for resources brought. */
export type FactsOf = (resource: EncodedResource) => ResourceFacts | undefined;

/** Which callers a rule for an inbound means: Kuma 3.x `matches`, or Kuma 2.x `from[].targetRef`. Absent: all. */
export type Client =
  | { readonly by: "matches"; readonly matches: readonly Match[] }
  | { readonly by: "targetRef"; readonly ref: TargetRef };

/** One rule for an inbound, in order from the weakest to the strongest. */
export interface InboundRule<T = unknown> {
  readonly client: Client | undefined;
  readonly conf: T;
  readonly origin: Origin;
}

/** All rules of one kind of policy that reach an inbound. */
export interface InboundRules<T = unknown> {
  readonly rules: readonly InboundRule<T>[];
  /** The merge of the rules that are for every caller: what can apply where Envoy cannot tell callers apart. */
  readonly everyone: Conf<T> | undefined;
  readonly hash: string;
}

/** Somebody who calls: all URIs of its certificate, none when it has no identity, and the server name it asks for. */
export interface Caller {
  readonly uris: readonly string[];
  readonly serverName: string | undefined;
}

/** May this caller call this inbound? */
export interface AccessQuestion<T = unknown> {
  readonly rules: InboundRules<T>;
  readonly inbound: InboundPlan;
  readonly caller: Caller;
  /** How a new policy would point at this inbound. */
  readonly target: TargetRef;
}

/** The answer to that, and what decided. */
export interface AccessAnswer {
  readonly decision: "allow" | "deny";
  /** The rules that decided; none when it is denied because nothing allows it. */
  readonly origins: readonly Origin[];
  /** The caller gets through and is counted and logged as if it did not: a denial is being tried out. */
  readonly shadowDenied?: boolean;
  /** Spec of a new policy of this kind that lets the caller in. Absent when it is in, or when no new policy could do it. */
  readonly remedy?: unknown;
}

/** How a policy finds the destination that one of its references names, at a port. */
export interface BackendReference {
  readonly kind: string;
  readonly name?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly port?: number | undefined;
  readonly sectionName?: string | undefined;
}
export type Resolve = (reference: BackendReference) => Destination | undefined;

/**
 * A policy: the shape users write, and what it does to a proxy. Implement the hooks you mean, leave the rest out.
 * `InboundConf` is what stands under `rules[].default` and `from[].default`, `OutboundConf` what stands under
 * `to[].default` (or in the whole `to` item, when `toItem` says so), `ProxyConf` what stands under `default`.
 */
export interface Policy<OutboundConf = unknown, InboundConf = unknown, ProxyConf = unknown> {
  readonly kind: Kind & { readonly policy: PolicyTraits };
  /** Combines confs from the weakest to the strongest; `origins` tells where each is from. Default: deep merge. */
  readonly merge?: (confs: readonly OutboundConf[], origins: readonly Origin[]) => OutboundConf;
  /** Takes the conf out of a `to` item. Default: its `default` field. */
  readonly toConf?: (item: Readonly<Record<string, unknown>>) => OutboundConf;
  /** Changes routes, clusters and connections towards a destination. */
  readonly outbound?: (conf: OutboundConf, destination: Destination, proxy: ProxyFacts) => Change;
  /** Replaces the routes towards a destination. */
  readonly routes?: (conf: Conf<OutboundConf>, destination: Destination, resolve: Resolve) => readonly RoutePlan[];
  /** Changes what a port of the application accepts. Called for every inbound, with no rules as well. */
  readonly inbound?: (rules: InboundRules<InboundConf>, inbound: InboundPlan, proxy: ProxyFacts) => Change;
  /** Changes all that a proxy does, or gives it something of its own. Called when a policy has a `default` for it. */
  readonly proxy?: (conf: Conf<ProxyConf>, proxy: ProxyFacts) => ProxyChange;
  /**
   * Changes what would be sent to Envoy, after everything else. Called when a policy has a `default` for it. Throws when
   * it cannot: then the proxy keeps what it has.
   */
  readonly patch?: (conf: Conf<ProxyConf>, resources: Resources, factsOf: FactsOf) => Patched;
  /** `inbound` and `outbound` read the proxy, so no two proxies share what they return. */
  readonly readsProxy?: boolean;
  /** What `rules` and `from` say of whole proxies is about both directions: `outbound` gets it for each destination. */
  readonly rulesMeanBothWays?: boolean;
  /** Says whether a caller gets through, by the very rules that `inbound` turns into filters. Pure, for explanations. */
  readonly explainAccess?: (question: AccessQuestion<InboundConf>) => AccessAnswer;
  /** Rules for an inbound are looked at one by one; they are never merged, not even those for every caller. */
  readonly keepsRulesApart?: boolean;
}

/** Declares a policy; its confs' types stay inside its folder. */
export function definePolicy<OutboundConf = never, InboundConf = never, ProxyConf = never>(
  policy: Policy<OutboundConf, InboundConf, ProxyConf>,
): Policy {
  // The engine only ever hands a policy the confs that its own schema accepted, so widening the type is sound.
  return policy as unknown as Policy;
}
