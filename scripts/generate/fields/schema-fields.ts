import type { z } from "zod";

/** A field that holds no other fields, by its path in the spec: `to[].default.http.retryOn[]`; `*` is any key of a map. */
export interface Field {
  readonly path: string;
  /** What it may be, where that is one of a few words. */
  readonly values: readonly string[];
}

/** One place in a document where a field stands. */
export interface Place {
  readonly field: string;
  readonly at: readonly (string | number)[];
  readonly value: unknown;
  readonly schema: z.core.$ZodType;
}

/** What is looked at in a schema, whatever class it is of. */
interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly element?: z.core.$ZodType;
  readonly valueType?: z.core.$ZodType;
  readonly innerType?: z.core.$ZodType;
  readonly options?: readonly z.core.$ZodType[];
  readonly entries?: Readonly<Record<string, string>>;
  readonly values?: readonly unknown[];
}

// What a reference points at is no setting: it says where settings hold, and has a table of its own on a policy's page.
const REFERENCE = "targetRef";

/** All fields of a schema. What alternatives of a union have in common is one field. */
export function fieldsOf(schema: z.core.$ZodType): readonly Field[] {
  const found = new Map<string, Set<string>>();
  collect(schema, "", found);
  return [...found].map(([path, values]) => ({ path, values: [...values] }));
}

function collect(schema: z.core.$ZodType, path: string, found: Map<string, Set<string>>): void {
  const { type, shape = {}, element, valueType, innerType, options = [], ...leaf } = definitionOf(schema);
  if (innerType !== undefined) return collect(innerType, path, found);
  if (element !== undefined) return collect(element, `${path}[]`, found);
  if (valueType !== undefined) return collect(valueType, joined(path, "*"), found);
  for (const option of options) collect(option, path, found);
  for (const [name, inner] of Object.entries(shape)) if (name !== REFERENCE) collect(inner, joined(path, name), found);
  if (options.length > 0 || (type === "object" && Object.keys(shape).length > 0)) return;
  const values = found.get(path) ?? new Set();
  for (const value of valuesOf(leaf)) values.add(value);
  found.set(path, values);
}

/** Every field that a document sets, with where it stands there. */
export function placesIn(schema: z.core.$ZodType, document: unknown): readonly Place[] {
  return placesUnder({ field: "", at: [], value: document, schema });
}

function placesUnder(place: Place): readonly Place[] {
  const { field, at, value, schema } = place;
  if (value === undefined) return [];
  const { type, shape, element, valueType, innerType, options } = definitionOf(schema);
  if (innerType !== undefined) return placesUnder({ ...place, schema: innerType });
  if (options !== undefined)
    return placesUnder({ ...place, schema: options.find((one) => accepts(one, value)) ?? NONE });
  const inner = (key: string | number, its: string, of: z.core.$ZodType): readonly Place[] =>
    placesUnder({ field: its, at: [...at, key], value: (value as Record<string, unknown>)[key], schema: of });
  if (element !== undefined)
    return (value as readonly unknown[]).flatMap((_, index) => inner(index, `${field}[]`, element));
  if (valueType !== undefined)
    return Object.keys(value as object).flatMap((key) => inner(key, joined(field, "*"), valueType));
  if (type !== "object" || shape === undefined || Object.keys(shape).length === 0) return [place];
  return Object.entries(shape).flatMap(([key, of]) => (key === REFERENCE ? [] : inner(key, joined(field, key), of)));
}

/** Whether a schema takes a value. */
export function accepts(schema: z.core.$ZodType, value: unknown): boolean {
  return (schema as z.ZodType).safeParse(value).success;
}

/** The words a schema is about, if it is about a few words. */
export function valuesOf(schema: Pick<Definition, "entries" | "values">): readonly string[] {
  return [...Object.values(schema.entries ?? {}), ...(schema.values ?? [])].map(String);
}

/** What a schema consists of. */
export function definitionOf(schema: z.core.$ZodType): Definition {
  return schema._zod.def as unknown as Definition;
}

const NONE = { _zod: { def: { type: "never" } } } as unknown as z.core.$ZodType;

function joined(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
