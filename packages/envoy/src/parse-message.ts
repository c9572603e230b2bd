import {
  create,
  type DescField,
  type DescMessage,
  fromJson,
  type JsonValue,
  type MessageShape,
} from "@bufbuild/protobuf";
import { nearest } from "@heddle/model/schema.ts";
import type { Parsed, Violation } from "@heddle/model/violation.ts";
import { messageNames, wholeApi } from "./type-registry.ts";

/** Reads a message that somebody wrote as JSON or YAML. Every mistake comes with its path, which starts with `at`. */
export function parseMessage<Schema extends DescMessage>(
  schema: Schema,
  json: unknown,
  at: string,
): Parsed<MessageShape<Schema>> {
  const violations = checkMessage(schema, json, at);
  if (violations.length > 0) return { ok: false, violations };
  try {
    return { ok: true, value: read(schema, json) };
  } catch (cause) {
    return { ok: false, violations: [{ field: at, message: `cannot be read: ${messageOf(cause)}` }] };
  }
}

/** What is wrong with the value of one field, or of one item or entry of it. */
export function checkField(field: DescField, value: unknown, at: string, isItem = false): readonly Violation[] {
  if (value === null && !isItem) return [];
  switch (field.fieldKind) {
    case "message":
      return checkMessage(field.message, value, at);
    case "list":
      if (isItem) return checkItem(field, value, [value], at);
      if (!Array.isArray(value)) return [{ field: at, message: `must be a list, not ${shown(value)}` }];
      return value.flatMap((item, index) => checkItem(field, item, [item], `${at}[${index}]`));
    case "map":
      if (isItem) return checkItem(field, value, { key: value }, at);
      if (!isObject(value)) return [{ field: at, message: `must be a mapping, not ${shown(value)}` }];
      return Object.entries(value).flatMap(([key, item]) => checkItem(field, item, { [key]: item }, `${at}.${key}`));
    case "scalar":
    case "enum":
      return checkLeaf(field, value, value, at);
  }
}

/** The field of a message that a key of its JSON form means. */
export function fieldOf({ fields }: DescMessage, key: string): DescField | undefined {
  return fields.find(({ jsonName, name }) => key === jsonName || key === name);
}

/** What is wrong with a key that means no field of a message. */
export function unknownKey({ fields, typeName }: DescMessage, key: string): string {
  const near = nearest(
    key,
    fields.map(({ jsonName }) => jsonName),
  );
  return near === undefined ? `unknown field of ${typeName}` : `unknown field, did you mean "${near}"?`;
}

function checkItem(
  field: DescField & { fieldKind: "list" | "map" },
  item: unknown,
  alone: unknown,
  at: string,
): readonly Violation[] {
  return field.message === undefined ? checkLeaf(field, alone, item, at) : checkMessage(field.message, item, at);
}

function checkMessage(schema: DescMessage, json: unknown, at: string): readonly Violation[] {
  if (schema.typeName === "google.protobuf.Any") return checkAny(json, at);
  if (schema.typeName.startsWith("google.protobuf.")) return checkWellKnown(schema, json, at);
  if (!isObject(json)) return [{ field: at, message: `must be a mapping, not ${shown(json)}` }];
  return [...checkOneofs(schema, json, at), ...checkFields(schema, json, at)];
}

function checkFields(schema: DescMessage, json: Fields, at: string): readonly Violation[] {
  return Object.entries(json).flatMap(([key, value]) => {
    const field = fieldOf(schema, key);
    const path = at === "" ? key : `${at}.${key}`;
    return field === undefined ? [{ field: path, message: unknownKey(schema, key) }] : checkField(field, value, path);
  });
}

function checkOneofs(schema: DescMessage, json: Fields, at: string): readonly Violation[] {
  return schema.oneofs.flatMap(({ fields }) => {
    const set = fields.flatMap(
      ({ jsonName, name }) => [jsonName, name].find((key) => (json[key] ?? null) !== null) ?? [],
    );
    return set.length < 2 ? [] : [{ field: at, message: `must have only one of ${set.join(", ")}` }];
  });
}

function checkAny(json: unknown, at: string): readonly Violation[] {
  if (!isObject(json)) return [{ field: at, message: `must be a mapping with "@type", not ${shown(json)}` }];
  const { "@type": type, ...fields } = json;
  if (typeof type !== "string") {
    const example = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua";
    return [{ field: at, message: `must have "@type", the name of the message that it is, such as ${example}` }];
  }
  const typeName = type.slice(type.lastIndexOf("/") + 1);
  const schema = wholeApi().getMessage(typeName);
  if (schema === undefined || !type.includes("/")) return [{ field: `${at}.@type`, message: unknownType(typeName) }];
  return schema.typeName.startsWith("google.protobuf.") ? [] : checkMessage(schema, fields, at);
}

// Full names are long and much alike: the last part is what somebody has in mind.
function unknownType(typeName: string): string {
  const last = (name: string): string => name.slice(name.lastIndexOf(".") + 1);
  const names = messageNames();
  const near = names.includes(typeName) ? last(typeName) : nearest(last(typeName), [...new Set(names.map(last))]);
  const candidates = names.filter((name) => last(name) === near);
  const best = candidates.toSorted((a, b) => alike(b, typeName) - alike(a, typeName))[0];
  const hint = best === undefined ? "" : `, did you mean "type.googleapis.com/${best}"?`;
  return `names no message of Envoy's API: ${typeName}${hint}`;
}

function alike(a: string, b: string): number {
  const parts = new Set(b.split("."));
  return a.split(".").filter((part) => parts.has(part)).length;
}

function checkWellKnown(schema: DescMessage, json: unknown, at: string): readonly Violation[] {
  try {
    read(schema, json);
    return [];
  } catch {
    const examples: Readonly<Record<string, string>> = {
      "google.protobuf.Duration": 'a duration in seconds such as "1.5s"',
      "google.protobuf.BoolValue": "true or false",
      "google.protobuf.UInt32Value": "a whole number of 0 or more",
      "google.protobuf.StringValue": "text",
    };
    return [{ field: at, message: `must be ${examples[schema.typeName] ?? schema.typeName}, not ${shown(json)}` }];
  }
}

function checkLeaf(field: DescField, value: unknown, shownValue: unknown, at: string): readonly Violation[] {
  try {
    read(field.parent, { [field.jsonName]: value });
    return [];
  } catch {
    return [{ field: at, message: `must be ${expected(field)}, not ${shown(shownValue)}` }];
  }
}

function expected(field: DescField): string {
  if (field.enum !== undefined) return `one of ${field.enum.values.map(({ name }) => name).join(", ")}`;
  const probes = ["text", true, 1, 1.5] as const;
  const wrap = (probe: unknown): unknown =>
    field.fieldKind === "list" ? [probe] : field.fieldKind === "map" ? { key: probe } : probe;
  const [text, truth, , fraction] = probes.map((probe) => isReadable(field, wrap(probe)));
  if (text) return "text";
  if (truth) return "true or false";
  return fraction ? "a number" : "a whole number that fits";
}

function isReadable(field: DescField, value: unknown): boolean {
  try {
    read(field.parent, { [field.jsonName]: value });
    return true;
  } catch {
    return false;
  }
}

function read<Schema extends DescMessage>(schema: Schema, json: unknown): MessageShape<Schema> {
  if (json === undefined) return create(schema);
  return fromJson(schema, json as JsonValue, { registry: wholeApi() });
}

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
