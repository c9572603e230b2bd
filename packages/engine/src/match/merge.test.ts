import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { mergeConfs } from "./merge.ts";

const numbers = fc.array(fc.integer(), { maxLength: 2 });
const some = { requiredKeys: [], noNullPrototype: true };
/** Confs of one shape, as a schema lets them through: a field has the same type wherever it is set. */
const conf = fc.record(
  {
    time: fc.string(),
    list: numbers,
    appendThings: numbers,
    http: fc.record({ limit: fc.integer(), appendMore: numbers, deep: fc.record({ on: fc.boolean() }, some) }, some),
  },
  some,
);

test("mergeConfs() gives the same whichever neighbours are merged first", () => {
  fc.assert(
    fc.property(conf, conf, conf, (a, b, c) => {
      assert.deepEqual(mergeConfs([mergeConfs([a, b]), c]), mergeConfs([a, mergeConfs([b, c])]));
    }),
  );
});

test("mergeConfs() leaves what it is given as it was", () => {
  fc.assert(
    fc.property(fc.array(conf), (confs) => {
      const before = structuredClone(confs);
      mergeConfs(confs);
      assert.deepEqual(confs, before);
    }),
  );
});

test("mergeConfs() does not care for the order of confs that say nothing about the same", () => {
  const left = fc.dictionary(fc.constantFrom("a", "b"), conf);
  const right = fc.dictionary(fc.constantFrom("c", "d"), conf);
  fc.assert(fc.property(left, right, (a, b) => assert.deepEqual(mergeConfs([a, b]), mergeConfs([b, a]))));
});

test("mergeConfs() takes every setting of the strongest conf over", () => {
  fc.assert(
    fc.property(fc.array(conf), conf, (weaker, strongest) => {
      assertContains(mergeConfs([...weaker, strongest]), strongest);
    }),
  );
});

const cases: readonly [string, readonly unknown[], unknown][] = [
  ["nothing out of nothing", [], undefined],
  ["a field of the stronger instead of the weaker", [{ a: 1, b: 1 }, { a: 2 }], { a: 2, b: 1 }],
  ["objects field by field", [{ http: { a: 1 } }, { http: { b: 2 } }], { http: { a: 1, b: 2 } }],
  ["lists as a whole", [{ list: [1, 2] }, { list: [3] }], { list: [3] }],
  ["lists to append to one after the other", [{ appendX: [1] }, { appendX: [2] }], { appendX: [1, 2] }],
  ["an undefined field as not said", [{ a: 1 }, { a: undefined }], { a: 1 }],
  ["null as said", [{ a: 1 }, { a: null }], { a: null }],
  ["an object instead of a number", [{ a: 1 }, { a: { b: 2 } }], { a: { b: 2 } }],
];
for (const [what, confs, merged] of cases) {
  test(`mergeConfs() gives ${what}`, () => assert.deepEqual(mergeConfs(confs), merged));
}

test("mergeConfs() keeps its hands off the prototype of everything", () => {
  const hostile: unknown = JSON.parse('{"__proto__":{"polluted":true}}');
  mergeConfs([{}, hostile]);
  mergeConfs([{ __proto__: {} }, hostile]);
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
});

function assertContains(whole: unknown, part: unknown): void {
  if (typeof part !== "object" || part === null || Array.isArray(part)) {
    if (!Array.isArray(part)) assert.deepEqual(whole, part);
    else
      assert.deepEqual((whole as readonly unknown[]).slice((whole as readonly unknown[]).length - part.length), part);
    return;
  }
  for (const [key, value] of Object.entries(part)) {
    if (value !== undefined) assertContains((whole as Record<string, unknown>)[key], value);
  }
}
