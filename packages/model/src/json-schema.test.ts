import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldsOf, typeText, type JsonSchema } from "./json-schema.ts";

const types: readonly (readonly [JsonSchema, string])[] = [
  [{ type: "string" }, "text"],
  [{ type: "boolean" }, "true or false"],
  [{ type: "integer", minimum: 1, maximum: 65_535 }, "number from 1 to 65535"],
  [{ type: "integer", minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }, "number"],
  [{ type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER }, "number of at least 0"],
  [{ type: "string", enum: ["A", "B"] }, "one of A, B"],
  [{ const: "Mesh" }, '"Mesh"'],
  [{ type: "array", items: { type: "object", properties: {} } }, "list of object"],
  [{ type: "object", additionalProperties: { type: "string" } }, "map of text"],
  [{ anyOf: [{ type: "integer" }, { type: "string" }] }, "number or text"],
  [{}, "anything"],
];
for (const [schema, text] of types) {
  test(`typeText() says ${text}`, () => {
    assert.equal(typeText(schema), text);
  });
}

test("fieldsOf() looks into lists, maps and alternatives", () => {
  const named = (...names: string[]): JsonSchema => ({
    type: "object",
    properties: Object.fromEntries(names.map((name) => [name, { type: "string" }])),
    required: names.slice(0, 1),
  });
  const names = (schema: JsonSchema): readonly string[] =>
    fieldsOf(schema).map(({ name, isRequired }) => (isRequired ? `${name}!` : name));
  assert.deepEqual(names({ type: "array", items: named("a", "b") }), ["a!", "b"]);
  assert.deepEqual(names({ type: "object", additionalProperties: named("c") }), ["c!"]);
  assert.deepEqual(names({ anyOf: [named("a", "b"), named("b", "c")] }), ["a!", "b", "c"]);
  assert.deepEqual(names({ type: "string" }), []);
});
