import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { defineKind, kindRegistry } from "./kind.ts";
import { CORE_KINDS } from "./kinds/index.ts";
import { type Expected, formatResource, parseResource } from "./parse-resource.ts";

const widget = defineKind({
  type: "Widget",
  path: "widgets",
  scope: "Mesh",
  shape: "plugin",
  singular: "Widget",
  plural: "Widgets",
  hasStatus: true,
  schema: z.strictObject({ size: z.int(), colour: z.string().optional() }),
  check: ({ size }) => [
    ...(size > 10 ? [{ field: "size", message: "must be at most 10" }] : []),
    ...(size === 13 ? [{ field: "", message: "must not bring bad luck" }] : []),
  ],
});
const kinds = kindRegistry([...CORE_KINDS, widget]);
const good = { type: "Widget", name: "w", mesh: "default", spec: { size: 1 } };

function violations(raw: unknown, expected?: Expected): readonly string[] {
  const parsed = parseResource(kinds, raw, expected);
  return parsed.ok ? [] : parsed.violations.map(({ field, message }) => `${field}: ${message}`);
}

test("parseResource() reads a document, and defaults its mesh", () => {
  const { mesh: _mesh, ...without } = good;
  assert.deepEqual(parseResource(kinds, { ...without, labels: { team: "a" } }), {
    ok: true,
    value: { type: "Widget", mesh: "default", name: "w", labels: { team: "a" }, spec: { size: 1 } },
  });
});

test("parseResource() reads past what an answer computed, as kumactl sends it back", () => {
  const zero = "0001-01-01T00:00:00Z";
  const computed = { kri: "kri_w_default___w_", snis: [{ port: 80, sni: "w" }] };
  const sent = { ...good, creationTime: zero, modificationTime: zero, ...computed };
  assert.deepEqual(parseResource(kinds, sent), parseResource(kinds, good));
  assert.equal(parseResource(kinds, sent).ok, true);
});

const cases: readonly [string, unknown, RegExp, Expected?][] = [
  ["something that is no object", [], /^: must be an object/],
  ["a document without a type", { name: "w" }, /^type: must be set/],
  ["an unknown type, with the one that was meant", { ...good, type: "Wigdet" }, /^type: .*did you mean "Widget"/],
  [
    "a type that is nothing like any",
    { ...good, type: "Ballon" },
    /^type: must be a known resource type, not "Ballon"$/,
  ],
  ["a missing name", { ...good, name: undefined }, /^name: must be set$/],
  ["a name that is none", { ...good, name: "No_Name" }, /^name: .*lower-case/],
  ["an unknown field beside spec", { ...good, sepc: {} }, /^sepc: unknown field, did you mean "spec"\?$/],
  ["an unknown field in spec", { ...good, spec: { size: 1, color: "red" } }, /^spec.color: .*did you mean "colour"/],
  ["a missing field", { ...good, spec: {} }, /^spec.size: must be set$/],
  ["no spec at all", { ...good, spec: undefined }, /^spec.size: must be set$/],
  ["what only the kind itself can tell", { ...good, spec: { size: 11 } }, /^spec.size: must be at most 10$/],
  ["a label that is no text", { ...good, labels: { a: 1 } }, /^labels\[a\]: must be a text, not 1; put it in quotes$/],
  ["a label name that is none", { ...good, labels: { "a b": "1" } }, /^labels\[a b\]: must be a name/],
  ["a label value that is none", { ...good, labels: { a: "b c" } }, /^labels\[a\]: must be at most 63/],
  [
    "a mesh label of another mesh",
    { ...good, labels: { "kuma.io/mesh": "b" } },
    /^labels\[kuma.io\/mesh\]: must be "default"/,
  ],
  ["a mesh on what belongs to none", { type: "Zone", name: "z", mesh: "default" }, /^mesh: must not be set/],
  ["another type than the URL's", good, /^type: must be "Mesh" as in the URL, not "Widget"$/, { type: "Mesh" }],
  ["another name than the URL's", good, /^name: must be "x" as in the URL, not "w"$/, { name: "x" }],
  ["another mesh than the URL's", good, /^mesh: must be "b"/, { mesh: "b" }],
];
for (const [what, raw, message, expected] of cases) {
  test(`parseResource() refuses ${what}`, () => {
    const [first, ...others] = violations(raw, expected);
    assert.match(first ?? "nothing", message);
    assert.deepEqual(others, []);
  });
}

test("parseResource() names every mistake at once", () => {
  const raw = { type: "Widget", name: "W", labels: { "-": "1" }, extra: 1, spec: { size: "big", shape: "round" } };
  assert.deepEqual(
    violations(raw).map((text) => text.slice(0, text.indexOf(":"))),
    ["name", "labels[-]", "extra", "spec.size", "spec.shape"],
  );
});

test("parseResource() reports what the kind finds at the spec itself and in its fields", () => {
  assert.deepEqual(violations({ ...good, spec: { size: 13 } }), [
    "spec.size: must be at most 10",
    "spec: must not bring bad luck",
  ]);
});

test("formatResource() gives back what was written, with times", () => {
  const parsed = parseResource(kinds, { ...good, labels: { team: "a" } });
  assert.ok(parsed.ok);
  const stored = { ...parsed.value, version: 3, creationTime: "c", modificationTime: "m" };
  assert.deepEqual(formatResource(widget, stored), {
    ...good,
    labels: { team: "a" },
    creationTime: "c",
    modificationTime: "m",
  });
});

test("parseResource() reads fields of the oldest kinds from the top of the document, and back", () => {
  const raw = { type: "Mesh", name: "default", mtls: { enabledBackend: "" } };
  const parsed = parseResource(kinds, raw);
  assert.ok(parsed.ok);
  const mesh = kinds.byType("Mesh");
  assert.ok(mesh !== undefined);
  const stored = { ...parsed.value, version: 1, creationTime: "c", modificationTime: "m" };
  assert.deepEqual(formatResource(mesh, stored), { ...raw, creationTime: "c", modificationTime: "m" });
});
