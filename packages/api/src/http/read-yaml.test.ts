import assert from "node:assert/strict";
import { test } from "node:test";
import { readYaml } from "./read-yaml.ts";

const read = [
  ["type: Mesh\nname: shop\n", { type: "Mesh", name: "shop" }],
  ["a: [1, 2.5, true, null, 'x']", { a: [1, 2.5, true, null, "x"] }],
  ["a: &x {b: 1}\nc: *x\n", { a: { b: 1 }, c: { b: 1 } }],
  ["time: 2026-01-01\nyes: no\n", { time: "2026-01-01", yes: "no" }],
  ['{"a": {"b": [1]}}', { a: { b: [1] } }],
  ["# nothing\n", null],
  ["", undefined],
] as const;

for (const [text, value] of read) {
  test(`readYaml() reads ${JSON.stringify(text)}`, () => {
    assert.deepEqual(readYaml(text), value);
  });
}

const refused = [
  ["a: 1\na: 2\n", 'Cannot read the body as YAML: the key "a" stands twice in one object'],
  ["x:\n  - 1: a\n    '1': b\n", 'Cannot read the body as YAML: the key "1" stands twice in one object'],
  ["a: *nobody\n", "Cannot read the body as YAML: Unresolved alias (the anchor must be set before the alias): nobody"],
] as const;

for (const [text, message] of refused) {
  test(`readYaml() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => readYaml(text), { status: 400, message });
  });
}

test("readYaml() refuses what is longer than anybody writes by hand", () => {
  assert.throws(() => readYaml(`a: ${"x".repeat(70_000)}`), { status: 413 });
});
