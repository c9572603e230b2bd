import { type JsonSchema, fieldsOf, typeText, variants } from "./json-schema.ts";
import type { Kind } from "./kind.ts";

/** A field of a form, with those below it. */
export interface FormField {
  readonly name: string;
  /** Of the whole document, such as "spec.to[].default.http.requestTimeout"; `{}` stands for the keys of a map. */
  readonly path: string;
  /** What to enter: one of some choices, a switch, a number, a text, or what its `fields` ask for, once or often. */
  readonly input: "choice" | "switch" | "number" | "text" | "group" | "list" | "map" | "any";
  /** The type in words. */
  readonly type: string;
  readonly help?: string;
  readonly isRequired: boolean;
  readonly choices?: readonly string[];
  readonly fields?: readonly FormField[];
}

/** What a form for a kind asks for: the fields of its spec, in the order of its schema. */
export function formOf(kind: Kind): readonly FormField[] {
  const schema = kind.schema.toJSONSchema({ io: "input", unrepresentable: "any" }) as JsonSchema;
  return fieldsBelow(schema, kind.shape === "core" ? "" : "spec.");
}

function fieldsBelow(schema: JsonSchema, prefix: string): readonly FormField[] {
  return fieldsOf(schema).map(({ name, schema: field, isRequired }) => {
    const path = `${prefix}${name}`;
    const input = inputOf(field);
    const below = fieldsBelow(field, `${path}${input === "list" ? "[]" : input === "map" ? "{}" : ""}.`);
    const choices = choicesOf(field);
    return {
      name,
      path,
      input: input === "text" && choices !== undefined ? "choice" : input,
      type: typeText(field),
      ...(field.description === undefined ? {} : { help: field.description }),
      isRequired,
      ...(choices === undefined ? {} : { choices }),
      ...(below.length === 0 ? {} : { fields: below }),
    };
  });
}

const INPUTS: Readonly<Record<string, FormField["input"]>> = {
  string: "text",
  boolean: "switch",
  integer: "number",
  number: "number",
  array: "list",
};

function inputOf(schema: JsonSchema): FormField["input"] {
  const inputs = new Set(variants(schema).map(variantInput));
  const [only = "any"] = inputs;
  if (inputs.size === 1) return only;
  // A percentage may be a number or a text: as a text it may be either.
  return [...inputs].every((input) => input === "text" || input === "number") ? "text" : "any";
}

function variantInput({ type, additionalProperties, properties, const: fixed }: JsonSchema): FormField["input"] {
  if (type === "object") return properties === undefined && typeof additionalProperties === "object" ? "map" : "group";
  return INPUTS[type ?? (typeof fixed === "string" ? "string" : "")] ?? "any";
}

function choicesOf(schema: JsonSchema): readonly string[] | undefined {
  const all = variants(schema).flatMap((each) => each.enum ?? (each.const === undefined ? [] : [each.const]));
  return all.length > 0 && all.length >= variants(schema).length ? [...new Set(all.map(String))] : undefined;
}
