import type { MeshChange } from "@heddle/engine/snapshot/apply-changes.ts";
import type { MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import type { Resource } from "@heddle/model/resource.ts";
import type { Proxy } from "./proxy.ts";

/** A policy that was written. */
export type Put = Extract<MeshChange, { what: "put" }>;

/** A policy on its way: what it replaces comes back when it is refused. */
export interface Step {
  readonly put: Put;
  readonly previous: Resource | undefined;
}

/** Policies that a few proxies have and the others do not yet. */
export interface Wave {
  steps: readonly Step[];
  snapshot: MeshSnapshot;
  /** Of the store, with the oldest of the policies. */
  readonly revision: number;
  readonly candidates: Iterator<Proxy>;
  readonly exposed: Set<Proxy>;
  /** Number of the set that a proxy has to acknowledge. */
  readonly waiting: Map<Proxy, number>;
  readonly wanted: number;
  answered: number;
  /** Proxies that went away instead of answering. */
  readonly gone: Proxy[];
  /** How often nobody answered in time. */
  silences: number;
  isSearching: boolean;
  /** Nobody is left who could be asked. */
  isExhausted: boolean;
  timer: NodeJS.Timeout | undefined;
}

/** Brings back what a policy replaced. */
export function reverted({ put: { resource }, previous }: Step): MeshChange {
  return previous === undefined ? { what: "delete", resource } : { what: "put", resource: previous };
}
