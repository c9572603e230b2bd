import type { z } from "zod";

type Schema = z.core.JSONSchema.BaseSchema;

interface Row {
  readonly field: string;
  readonly type: string;
  readonly isRequired: boolean;
  readonly meaning: string;
}

/** Where an object was described first, by its shape in JSON; it is not described a second time. */
type Described = Map<string, string>;

/** A Markdown table of all fields of a JSON Schema, a row each, nested ones by their path: `to[].default.timeout`. */
export function fieldTable(schema: Schema): string {
  const rows = mergeAlternatives(fieldsOf(schema, "", new Map()));
  const lines = rows.map(
    ({ field, type, isRequired, meaning }) =>
      `| \`${field}\` | ${cell(type)}${isRequired ? ", required" : ""} | ${cell(meaning)} |\n`,
  );
  return `| field | type | meaning |\n| --- | --- | --- |\n${lines.join("")}`;
}

function fieldsOf(schema: Schema, path: string, described: Described): readonly Row[] {
  const named = Object.entries(schema.properties ?? {}).flatMap(([name, value]) => {
    if (typeof value === "boolean") return [];
    const isRequired = schema.required?.includes(name) === true;
    return rowsOf(value, path === "" ? name : `${path}.${name}`, isRequired, described);
  });
  return [...named, ...alternativesOf(schema).flatMap((one) => fieldsOf(one, path, described))];
}

function rowsOf(schema: Schema, field: string, isRequired: boolean, described: Described): readonly Row[] {
  const row = { field, type: typeOf(schema), isRequired, meaning: schema.description ?? "" };
  const items = itemsOf(schema);
  const inner = items ?? schema;
  const path = items === undefined ? field : `${field}[]`;
  const shape = JSON.stringify([inner.properties, alternativesOf(inner)]);
  const first = described.get(shape);
  if (first !== undefined) return [{ ...row, meaning: `${row.meaning} (fields as in \`${first}\`)`.trim() }];
  if (Object.keys(inner.properties ?? {}).length > 1) described.set(shape, path);
  return [row, ...fieldsOf(inner, path, described)];
}

function typeOf(schema: Schema): string {
  const items = itemsOf(schema);
  if (items !== undefined) return `list of ${typeOf(items)}`;
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(code).join(", ");
  const alternatives = alternativesOf(schema);
  if (alternatives.length > 0) return [...new Set(alternatives.map(typeOf))].join(" or ");
  const values = schema.additionalProperties;
  if (typeof values === "object" && schema.properties === undefined) return `map of ${typeOf(values)}`;
  return [schema.type ?? "any"].flat().join(" or ");
}

function itemsOf(schema: Schema): Schema | undefined {
  return typeof schema.items === "object" && !Array.isArray(schema.items) ? (schema.items as Schema) : undefined;
}

function alternativesOf(schema: Schema): readonly Schema[] {
  return (schema.anyOf ?? schema.oneOf ?? []).filter((one) => typeof one === "object");
}

/** A field that several alternatives of a union have is one row, with all that it may be. */
function mergeAlternatives(rows: readonly Row[]): readonly Row[] {
  const groups = [...Map.groupBy(rows, ({ field }) => field).values()];
  return groups.flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const type = [...new Set(group.map((row) => row.type))].join(" or ");
    const isRequired = group.every((row) => row.isRequired);
    return [{ ...first, type, isRequired, meaning: group.find(({ meaning }) => meaning !== "")?.meaning ?? "" }];
  });
}

function code(value: unknown): string {
  return `\`${JSON.stringify(value)}\``;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
