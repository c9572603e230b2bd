import { type DescField, type DescMessage, type JsonValue, type MessageShape, toJson } from "@bufbuild/protobuf";
import { checkField, fieldOf, parseMessage, unknownKey } from "@heddle/envoy/parse-message.ts";
import { wholeApi } from "@heddle/envoy/type-registry.ts";
import type { Violation } from "@heddle/model/violation.ts";
import { applyPatch, type Operation, Pointer } from "rfc6902";
import type { JsonPatch } from "./schema.ts";

/** The message that these operations make of another. Throws when one of them cannot be applied. */
export function patchMessage<Schema extends DescMessage>(
  schema: Schema,
  message: MessageShape<Schema>,
  patches: readonly JsonPatch[],
): MessageShape<Schema> {
  const json: unknown = toJson(schema, message, { registry: wholeApi() });
  for (const [index, patch] of patches.entries()) applyOne(json, patch, `jsonPatches[${index}]`);
  const parsed = parseMessage(schema, json, "");
  if (parsed.ok) return parsed.value;
  const reasons = parsed.violations.map(({ field, message: reason }) => `${field} ${reason}`);
  throw new Error(`jsonPatches make no ${schema.typeName} of it: ${reasons.join("; ")}`);
}

// As in Kuma: what is added gets the parents that it lacks, and removing what is not there is no mistake.
function applyOne(json: unknown, { op, path, value, from }: JsonPatch, at: string): void {
  const pointer = Pointer.fromJSON(path);
  if (op === "remove" && pointer.get(json) === undefined) return;
  if (op === "add") makeParents(json, pointer.tokens);
  // The library puts the very value into the result, which later operations may change.
  const [error] = applyPatch(json, [{ op, path, from, value: structuredClone(value) } as Operation]);
  if (error === null || error === undefined) return;
  const where = op === "move" || op === "copy" ? `"${from}" to "${path}"` : `"${path}"`;
  throw new Error(`${at} cannot ${op} ${where}: ${error.name === "MissingError" ? "there is nothing" : error.message}`);
}

function makeParents(json: unknown, [, ...tokens]: readonly string[]): void {
  let parent = json as Record<string, JsonValue | undefined>;
  for (const [index, token] of tokens.slice(0, -1).entries()) {
    if (typeof parent !== "object" || parent === null || token === "-") return;
    parent[token] ??= /^(\d+|-)$/.test(tokens[index + 1] ?? "") ? [] : {};
    parent = parent[token] as typeof parent;
  }
}

/** What is wrong with operations on a message; none is known when its type is not known before it is met. */
export function checkJsonPatches(
  schema: DescMessage | undefined,
  patches: readonly JsonPatch[],
  at: string,
): Violation[] {
  return patches.flatMap((patch, index) => {
    const field = `${at}[${index}]`;
    const shape = [...checkOperands(patch, field), ...checkPointers(patch, field)];
    return shape.length > 0 || schema === undefined ? shape : checkOnMessage(schema, patch, field);
  });
}

function checkOperands({ op, value, from }: JsonPatch, at: string): Violation[] {
  const takesValue = op === "add" || op === "replace";
  const takesFrom = op === "move" || op === "copy";
  const rules: readonly (readonly [boolean, string, string])[] = [
    [takesValue && value === undefined, "value", `must be set when op is ${op}`],
    [!takesValue && value !== undefined, "value", `must not be set when op is ${op}`],
    [takesFrom && from === undefined, "from", `must be set when op is ${op}`],
    [!takesFrom && from !== undefined, "from", `must not be set when op is ${op}`],
  ];
  return rules.flatMap(([isWrong, name, message]) => (isWrong ? [{ field: `${at}.${name}`, message }] : []));
}

function checkPointers({ path, from = "/" }: JsonPatch, at: string): Violation[] {
  return [
    { field: `${at}.path`, pointer: path },
    { field: `${at}.from`, pointer: from },
  ].flatMap(({ field, pointer }) => {
    if (!pointer.startsWith("/") || pointer === "/" ? pointer !== from || field.endsWith(".path") : false) {
      return [{ field, message: `must start with / and name a field, such as /connectTimeout, not "${pointer}"` }];
    }
    const reserved = pointer.split("/").find((token) => ["__proto__", "constructor", "prototype"].includes(token));
    return reserved === undefined ? [] : [{ field, message: `must not go through "${reserved}"` }];
  });
}

function checkOnMessage(schema: DescMessage, { op, path, value }: JsonPatch, at: string): readonly Violation[] {
  const found = follow(schema, Pointer.fromJSON(path).tokens.slice(1));
  if (found.what === "unknown field") {
    return [{ field: `${at}.path`, message: `"${found.key}": ${unknownKey(found.schema, found.key)}` }];
  }
  if (found.what === "anything" || (op !== "add" && op !== "replace")) return [];
  return checkField(found.field, value, `${at}.value`, found.isItem);
}

type Found =
  | { readonly what: "field"; readonly field: DescField; readonly isItem: boolean }
  | { readonly what: "unknown field"; readonly schema: DescMessage; readonly key: string }
  | { readonly what: "anything" };

/** What a pointer into the JSON form of a message means. What is packed in an Any can be anything. */
function follow(schema: DescMessage, tokens: readonly string[]): Found {
  const [key = "", ...rest] = tokens;
  const field = fieldOf(schema, key);
  // The JSON form that operations work on has names in lowerCamelCase only.
  if (field === undefined || field.jsonName !== key) return { what: "unknown field", schema, key };
  const isPart = field.fieldKind === "list" || field.fieldKind === "map";
  const deeper = isPart ? rest.slice(1) : rest;
  if (deeper.length === 0) return { what: "field", field, isItem: isPart && rest.length > 0 };
  const { message } = field;
  const isOpen = message === undefined || message.typeName.startsWith("google.protobuf.");
  return isOpen ? { what: "anything" } : follow(message, deeper);
}
