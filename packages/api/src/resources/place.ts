import type { Kind } from "@heddle/model/kind.ts";

// Made on a global control plane and sent to zones, although they belong to a mesh.
const MADE_GLOBALLY: ReadonlySet<string> = new Set(["MeshMultiZoneService", "ServiceInsight"]);
// Made by zones alone, as they describe what runs there.
const MADE_IN_ZONES: ReadonlySet<string> = new Set(["Dataplane", "MeshService", "MeshZoneAddress", "Workload"]);

/** Whether a zone's control plane may own resources of this kind. */
export function isMadeInZones(kind: Kind): boolean {
  return kind.scope === "Mesh" && !MADE_GLOBALLY.has(kind.type);
}

/** Whether a global control plane may own resources of this kind. */
export function isMadeGlobally(kind: Kind): boolean {
  return !MADE_IN_ZONES.has(kind.type);
}
