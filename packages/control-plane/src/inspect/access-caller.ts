import { identityOf } from "@heddle/engine/snapshot/identity.ts";
import type { MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";

/** Somebody who wants to call. */
export interface NamedCaller {
  /** As sentences name it: its SPIFFE ID, or the name of a proxy that has none. */
  readonly name: string;
  /** All URIs of its certificate; none when it has no identity. */
  readonly uris: readonly string[];
  /** Why it has no identity, where more is known than that nothing gives it one. */
  readonly problem?: string | undefined;
}

/** Reads who is meant: a SPIFFE ID, or a proxy of the mesh by name. Undefined when there is no such proxy. */
export function callerOf(mesh: MeshSnapshot, from: string): NamedCaller | undefined {
  if (from.startsWith("spiffe://")) return { name: from, uris: [from] };
  const entry = mesh.dataplanes.get(from);
  if (entry === undefined) return undefined;
  const identity = identityOf(mesh, entry.resource);
  const [id] = identity?.spiffeIds ?? [];
  if (id === undefined) return { name: `"${from}"`, uris: [], problem: identity?.problem };
  return { name: id, uris: identity?.uris ?? [] };
}
