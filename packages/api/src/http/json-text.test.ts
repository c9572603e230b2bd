import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DEEPEST, inspectJsonText } from "./json-text.ts";
import { readJson } from "./read-json.ts";

const inspected = [
  ['{"a":1,"b":{"a":1}}', undefined],
  ['[{"a":1},{"a":1}]', undefined],
  ['{"a":"a","b":"a:"}', undefined],
  ['{"a":"{[{[","b":"\\"]}"}', undefined],
  ['{"a" :1,"a"\n:2}', 'the key "a" stands twice in one object'],
  ['{"x":[{"a":1,"b":[],"a":2}]}', 'the key "a" stands twice in one object'],
  ['{"a":1,"\\u0061":2}', 'the key "a" stands twice in one object'],
  ['{"a":{"__proto__":1}}', 'the key "__proto__" is refused'],
  ['{"a\\\\":1}', 'the key "a\\\\" has a quote, a backslash or a control character'],
  ['{"kuma.io\\/service":1}', undefined],
  ['["__proto__"]', undefined],
  ["[".repeat(DEEPEST), undefined],
  ["[".repeat(DEEPEST + 1), "it nests deeper than 64 levels"],
  ['{"a":"', undefined],
  ["", undefined],
] as const;

for (const [text, trouble] of inspected) {
  test(`inspectJsonText() finds ${trouble ?? "nothing wrong"} in ${text.slice(0, 40)}`, () => {
    assert.equal(inspectJsonText(text), trouble);
  });
}

test("readJson() reads whatever JSON.stringify wrote, as it was", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(undefined, 1, "\t"), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      fc.pre(inspectJsonText(text) === undefined);
      assert.deepEqual(readJson(text), value);
    }),
  );
});

test("readJson() never throws anything but a 400, whatever the text", () => {
  const junk = fc.string({ unit: fc.constantFrom("{", "}", "[", "]", '"', "\\", ":", ",", "a", "1", " ", "u") });
  fc.assert(
    fc.property(junk, (text) => {
      try {
        readJson(text);
      } catch (error) {
        assert.equal((error as { status?: number }).status, 400);
      }
    }),
  );
});
