import type { Paint } from "../output/paint.ts";
import { table } from "../output/table.ts";
import { fieldsOf, typeText, type Field, type JsonSchema } from "@heddle/model/json-schema.ts";

/** A field with everything on the way to it taken: what `explain` shows. */
export interface Explained {
  /** "MeshTimeout.spec.to" */
  readonly path: string;
  readonly schema: JsonSchema;
  readonly isRequired: boolean;
}

/** Goes down a path of field names; indexes ("to[0]", "to[]") may be written and are passed over. Undefined with the last known place. */
export function findField(
  root: Explained,
  names: readonly string[],
): Explained | { readonly missing: string; readonly at: Explained } {
  let at = root;
  for (const name of names.map((each) => each.replace(/\[\d*\]$/, ""))) {
    const field = fieldsOf(at.schema).find((each) => each.name === name);
    if (field === undefined) return { missing: name, at };
    at = { path: `${at.path}.${name}`, schema: field.schema, isRequired: field.isRequired };
  }
  return at;
}

/** The field's type and meaning, then the fields below it; with `recursive` those below them as well. */
export function renderExplained({ path, schema, isRequired }: Explained, recursive: boolean, paint: Paint): string {
  const head = [`${paint("bold", path)}  ${typeText(schema)}${isRequired ? ", required" : ""}`];
  const meaning = schema.description === undefined ? [] : [`  ${schema.description}`];
  const rows = rowsOf(schema, recursive, 0);
  if (rows.length === 0) return [...head, ...meaning].join("\n");
  const fields = table(rows, [
    { title: "FIELD", value: ({ field, depth }) => `${"  ".repeat(depth)}${field.name}` },
    { title: "TYPE", value: ({ field }) => typeText(field.schema) },
    { title: "REQUIRED", value: ({ field }) => (field.isRequired ? "yes" : " ") },
    { title: "MEANING", value: ({ field }) => field.schema.description ?? " " },
  ]);
  return [...head, ...meaning, "", fields].join("\n");
}

interface Row {
  readonly field: Field;
  readonly depth: number;
}

function rowsOf(schema: JsonSchema, recursive: boolean, depth: number): readonly Row[] {
  return fieldsOf(schema).flatMap((field) => [
    { field, depth },
    ...(recursive ? rowsOf(field.schema, true, depth + 1) : []),
  ]);
}
