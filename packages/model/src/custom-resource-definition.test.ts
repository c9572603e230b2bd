import assert from "node:assert/strict";
import { test } from "node:test";
import { customResourceDefinition, structural } from "./custom-resource-definition.ts";
import type { JsonSchema } from "./json-schema.ts";
import { CORE_KINDS } from "./kinds/index.ts";
import { structuralProblems } from "./testkit/structural-problems.ts";

const text = { type: "string" };
const cases: readonly (readonly [string, JsonSchema, unknown])[] = [
  ["a text", { type: "string", description: "A text" }, { type: "string", description: "A text" }],
  ["a choice", { type: "string", enum: ["A", "B"] }, { type: "string", enum: ["A", "B"] }],
  ["one value", { const: "A" }, { type: "string", enum: ["A"] }],
  ["a port", { type: "integer", minimum: 1, maximum: 65_535 }, { type: "integer", minimum: 1, maximum: 65_535 }],
  ["any whole number", { type: "integer", minimum: Number.MIN_SAFE_INTEGER }, { type: "integer" }],
  ["a number or a text", { anyOf: [{ type: "integer" }, text] }, { "x-kubernetes-int-or-string": true }],
  ["a map", { type: "object", additionalProperties: text }, { type: "object", additionalProperties: text }],
  ["a list", { type: "array", items: text }, { type: "array", items: text }],
  ["anything", {}, { "x-kubernetes-preserve-unknown-fields": true }],
  [
    "an object",
    { type: "object", properties: { a: text }, required: ["a"], additionalProperties: false },
    { type: "object", properties: { a: text }, required: ["a"] },
  ],
  [
    "objects of two shapes",
    {
      anyOf: [
        { type: "object", properties: { type: { const: "A" }, a: text }, required: ["a"] },
        { type: "object", properties: { b: text } },
      ],
    },
    { type: "object", properties: { type: { type: "string", enum: ["A"] }, a: text, b: text } },
  ],
];
for (const [what, schema, expected] of cases) {
  test(`structural() says ${what} as Kubernetes takes it`, () => {
    assert.deepEqual(structural(schema), expected);
  });
}

for (const kind of CORE_KINDS) {
  test(`customResourceDefinition() of ${kind.type} keeps the rules of a structural schema`, () => {
    const definition = customResourceDefinition(kind);
    if (kind.secret === true) return assert.equal(definition, undefined);
    const { spec } = definition as { spec: { versions: { schema: { openAPIV3Schema: object } }[] } };
    assert.deepEqual(structuralProblems(spec.versions[0]?.schema.openAPIV3Schema as never, kind.type), []);
  });
}
