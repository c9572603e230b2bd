import { customResourceDefinition } from "@heddle/model/custom-resource-definition.ts";
import type { Kind } from "@heddle/model/kind.ts";
import { CORE_KINDS } from "@heddle/model/kinds/index.ts";
import type { Policy } from "@heddle/engine/policy.ts";
import { stringify } from "yaml";
import type { GeneratedFile } from "./generated-files.ts";

/** The CustomResourceDefinition of every kind: a policy's in its folder, the others' together. */
export function crdFiles(
  policies: readonly { readonly folder: string; readonly policy: Policy }[],
): readonly GeneratedFile[] {
  return [
    ...CORE_KINDS.map((kind) => fileOf(`packages/model/crds/${kind.path}.yaml`, kind)),
    ...policies.map(({ folder, policy }) => fileOf(`packages/policies/${folder}/crd.yaml`, policy.kind)),
  ].flat();
}

function fileOf(path: string, kind: Kind): readonly GeneratedFile[] {
  const definition = customResourceDefinition(kind);
  if (definition === undefined) return [];
  const head = "# Written by `npm run generate` from the schema of the kind: edit that.\n";
  return [{ path, content: head + stringify(definition, { lineWidth: 0, aliasDuplicateObjects: false }) }];
}
