import assert from "node:assert/strict";
import type { Policy } from "../policy.ts";
import type { MeshSnapshot } from "../snapshot/snapshot.ts";
import { meshOf } from "./mesh-of.ts";
import { parseDocuments } from "./parse-documents.ts";

/** The snapshot of a mesh written in YAML; every proxy is online. Fails when a document is not valid. */
export function yamlMesh(yaml: string, policies: readonly Policy[] = []): MeshSnapshot {
  const { resources, violations } = parseDocuments(yaml, policies);
  assert.deepEqual(violations, {});
  return meshOf(resources);
}
