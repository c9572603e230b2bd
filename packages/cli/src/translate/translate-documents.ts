import { kindRegistry } from "@heddle/model/kind.ts";
import { CORE_KINDS } from "@heddle/model/kinds/index.ts";
import type { MeshSpec } from "@heddle/model/kinds/mesh.ts";
import { legacyKindOf } from "@heddle/model/legacy/index.ts";
import { present } from "@heddle/model/legacy/present.ts";
import { translationYaml } from "@heddle/model/legacy/translation-yaml.ts";
import { parseResource } from "@heddle/model/parse-resource.ts";
import { stringify } from "yaml";
import type { Document } from "../documents/document.ts";

const KINDS = kindRegistry(CORE_KINDS);

/** Documents in today's kinds, and what is wrong with those that could not be read. */
export interface Translated {
  readonly yaml: string;
  /** "old.yaml:3: conf.http: must be set". */
  readonly mistakes: readonly string[];
}

/** Translates documents of Kuma 2.x. Others stay as they are; a Mesh among them tells its backends. */
export function translateDocuments(documents: readonly Document[]): Translated {
  const results = documents.map((document) => translateOne(document, documents));
  return {
    yaml: results.flatMap((each) => ("yaml" in each ? [each.yaml] : [])).join("---\n"),
    mistakes: results.flatMap((each) => ("mistakes" in each ? each.mistakes : [])),
  };
}

type One = { readonly yaml: string } | { readonly mistakes: readonly string[] };

function translateOne(document: Document, all: readonly Document[]): One {
  const { type, mesh, content, place } = document;
  if (legacyKindOf(type) === undefined) return { yaml: stringify(content, { lineWidth: 0 }) };
  const parsed = parseResource(KINDS, { ...content, mesh });
  if (!parsed.ok) return { mistakes: parsed.violations.map(({ field, message }) => `${place}: ${field}: ${message}`) };
  const owner = all.find((each) => each.type === "Mesh" && each.name === mesh);
  const spec = owner === undefined ? undefined : parseResource(KINDS, owner.content);
  const meshSpec = (spec?.ok === true ? spec.value.spec : {}) as MeshSpec;
  const presented = present(parsed.value, { name: mesh, spec: meshSpec }) ?? { documents: [], notes: [] };
  return { yaml: translationYaml(parsed.value, presented) };
}
