import type { AccessAnswer } from "@heddle/engine/policy.ts";
import { applyChanges } from "@heddle/engine/snapshot/apply-changes.ts";
import type { MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import type { KindRegistry } from "@heddle/model/kind.ts";
import { parseResource } from "@heddle/model/parse-resource.ts";
import { stringify } from "yaml";
import { asStored } from "./planned-resource.ts";

/** A new policy that is meant to let a caller in. */
export interface Remedy {
  /** As YAML, ready to be applied. */
  readonly yaml: string;
  /** The mesh as it would be with it. */
  readonly mesh: MeshSnapshot;
}

/** Makes a policy of what a kind proposes; undefined when it proposes nothing, or nothing that could be written. */
export function remedyOf(
  mesh: MeshSnapshot,
  kinds: KindRegistry,
  type: string,
  { answer, hint }: { readonly answer: AccessAnswer; readonly hint: string },
): Remedy | undefined {
  if (answer.remedy === undefined) return undefined;
  const name = freeName(mesh, type, hint);
  const document = { type, mesh: mesh.mesh.name, name, spec: answer.remedy };
  const parsed = parseResource(kinds, document);
  if (!parsed.ok) return undefined;
  const { snapshot } = applyChanges(mesh, [{ what: "put", resource: asStored(parsed.value, undefined, new Date()) }]);
  return { yaml: stringify(document, { lineWidth: 0 }), mesh: snapshot };
}

/** A name for a policy out of names of other things; one that is taken gets a number. */
function freeName(mesh: MeshSnapshot, type: string, hint: string): string {
  const words = hint.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  const name = words.slice(0, LONGEST_NAME).replaceAll(/^-+|-+$/g, "");
  const taken = new Set(mesh.policies.get(type)?.map((policy) => policy.name));
  const names = [name, ...Array.from({ length: taken.size }, (_, index) => `${name}-${index + 2}`)];
  return names.find((each) => !taken.has(each)) ?? name;
}

const LONGEST_NAME = 56;
