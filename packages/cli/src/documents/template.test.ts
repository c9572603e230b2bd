import assert from "node:assert/strict";
import { test } from "node:test";
import { fillTemplate } from "./template.ts";

const filled = [
  ["name: {{ name }}", { name: "a" }, "name: a"],
  ["{{name}}-{{{name}}}-{{& name }}", { name: "<&>" }, "<&>-<&>-<&>"],
  ["path: {{ a.b }}", { "a.b": "x" }, "path: x"],
  ["no braces", {}, "no braces"],
  ["domain: '{{ .Mesh }}.{{ .Zone }}'", { Mesh: "wrong" }, "domain: '{{ .Mesh }}.{{ .Zone }}'"],
  ["template: '{{ label \"team\" }}.mesh'", {}, "template: '{{ label \"team\" }}.mesh'"],
  ["lua: 'if a == \"{{\" then'", {}, "lua: 'if a == \"{{\" then'"],
  ["empty: '{{ v }}'", { v: "" }, "empty: ''"],
] as const;
for (const [template, variables, text] of filled) {
  test(`fillTemplate() makes ${JSON.stringify(text)} of ${JSON.stringify(template)}`, () => {
    assert.deepEqual(fillTemplate(template, variables), { ok: true, text });
  });
}

test("fillTemplate() names every variable without a value once", () => {
  assert.deepEqual(fillTemplate("{{ a }} {{ b }} {{ a }} {{ c }}", { b: "x" }), { ok: false, missing: ["a", "c"] });
});

test("fillTemplate() takes nothing from an object's prototype for a value", () => {
  assert.deepEqual(fillTemplate("{{ toString }}", {}), { ok: false, missing: ["toString"] });
});
