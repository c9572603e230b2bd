import { compile, type Compiled } from "../compile.ts";
import { Memo } from "../memo.ts";
import type { Policy } from "../policy.ts";
import { yamlMesh } from "./yaml-mesh.ts";

/** What the first Dataplane of a mesh written in YAML gets. */
export function compileYaml(yaml: string, policies: readonly Policy[]): Compiled {
  const mesh = yamlMesh(yaml, policies);
  const [first] = mesh.dataplanes.values();
  if (first === undefined) throw new Error("Cannot compile: no document is of type Dataplane; add one");
  return compile(mesh, first, policies, new Memo());
}
