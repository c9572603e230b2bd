import type { Kind } from "@heddle/model/kind.ts";
import type { Need } from "../auth/authorize.ts";

/** A path segment of a kind; aliases are served but not documented. */
export interface Segment {
  readonly path: string;
  readonly alias: boolean;
}

/** All path segments that mean a kind. */
export function segmentsOf(kind: Kind): readonly Segment[] {
  const aliases = (kind.pathAliases ?? []).map((path) => ({ path, alias: true }));
  return [{ path: kind.path, alias: false }, ...aliases];
}

/** Where the resources of a kind hang: under their mesh, or at the root. */
export function collectionPath(kind: Kind, segment: string): string {
  return kind.scope === "Mesh" ? `/meshes/{mesh}/${segment}` : `/${segment}`;
}

/** What a caller needs to read, or to write, resources of a kind. */
export function needOf(kind: Kind, access: "read" | "write"): Need {
  return kind.secret ? "adminResources" : access;
}
