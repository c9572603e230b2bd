import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { applyPatch } from "rfc6902";
import { jsonPatch } from "./json-patch.ts";

test("jsonPatch() turns the one value into the other", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 4 }), (before, after) => {
      // The library refuses to touch prototypes, and Envoy has no such fields.
      fc.pre(!JSON.stringify([before, after]).includes("__proto__"));
      const document = structuredClone({ value: before });
      const errors = applyPatch(document, structuredClone([...jsonPatch({ value: before }, { value: after })]));
      assert.deepEqual([errors.filter((error) => error !== null), document], [[], { value: after }]);
    }),
  );
});

test("jsonPatch() replaces a long list that changed, and says nothing of one that did not", () => {
  const long = Array.from({ length: 20_000 }, (_, index) => ({ index }));
  const longer = [...long, { index: -1 }];
  assert.deepEqual(jsonPatch({ a: 1, long }, { a: 2, long: [...long] }), [{ op: "replace", path: "/a", value: 2 }]);
  assert.deepEqual(jsonPatch({ long }, { long: longer }), [{ op: "replace", path: "/long", value: longer }]);
});
