/** The part of JSON Schema that the kinds' schemas come to. https://json-schema.org/draft/2020-12 */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** The alternatives of a schema: those of a union, else itself. */
export function variants(schema: JsonSchema): readonly JsonSchema[] {
  const union = schema.anyOf ?? schema.oneOf;
  return union === undefined ? [schema] : union.flatMap(variants);
}

/** The fields that may stand below a schema: of an object, of the items of a list, of every alternative. */
export function fieldsOf(schema: JsonSchema): readonly Field[] {
  const fields = variants(schema).flatMap((variant) => {
    if (variant.items !== undefined) return fieldsOf(variant.items);
    const required = new Set(variant.required);
    const named = Object.entries(variant.properties ?? {}).map(([name, inner]) => ({
      name,
      schema: inner,
      isRequired: required.has(name),
    }));
    const open = variant.additionalProperties;
    return typeof open === "object" && fieldsOf(open).length > 0 ? [...named, ...fieldsOf(open)] : named;
  });
  // Alternatives share fields; the first that has one tells it.
  return [...new Map(fields.toReversed().map((field) => [field.name, field])).values()].toReversed();
}

export interface Field {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly isRequired: boolean;
}

/** What a schema takes, in words: "text", "list of object", "one of STRICT, PERMISSIVE", "number from 1 to 65535". */
export function typeText(schema: JsonSchema): string {
  const all = [...new Set(variants(schema).map(variantText))];
  return all.join(" or ");
}

function variantText(schema: JsonSchema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return `one of ${schema.enum.join(", ")}`;
  switch (schema.type) {
    case "string":
      return "text";
    case "boolean":
      return "true or false";
    case "integer":
    case "number":
      return numberText(schema);
    case "array":
      return `list of ${schema.items === undefined ? "anything" : typeText(schema.items)}`;
    case "object":
      return typeof schema.additionalProperties === "object"
        ? `map of ${typeText(schema.additionalProperties)}`
        : "object";
    default:
      return "anything";
  }
}

// The bounds that JSON Schema has for every whole number say nothing about this one.
function numberText({ minimum, maximum }: JsonSchema): string {
  const bounds = [minimum, maximum].map((bound) =>
    bound === undefined || Math.abs(bound) === Number.MAX_SAFE_INTEGER ? undefined : bound,
  );
  const [least, most] = bounds;
  if (least !== undefined && most !== undefined) return `number from ${least} to ${most}`;
  if (least !== undefined) return `number of at least ${least}`;
  return most === undefined ? "number" : `number of at most ${most}`;
}
