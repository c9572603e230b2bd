import type { Labels } from "@heddle/model/labels.ts";
import type { Resource } from "@heddle/model/resource.ts";

/** What a test says of a resource beyond its spec. */
export interface Meta {
  readonly labels?: Labels;
  readonly version?: number;
  readonly creationTime?: string;
}

/** A stored resource of mesh "default", for tests that do not start from YAML. */
export function resource<Spec>(type: string, name: string, spec: Spec, meta: Meta = {}): Resource<Spec> {
  const { labels = {}, version = 1, creationTime = "2026-01-01T00:00:00Z" } = meta;
  const mesh = type === "Mesh" ? "" : "default";
  return { type, mesh, name, labels, spec, version, creationTime, modificationTime: creationTime };
}
