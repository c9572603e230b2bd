import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseJson } from "./json.ts";

// What makes V8 read the second key of the second text as it read the one of the first; the length after escapes counts.
const misread = [
  ['{"first":1,"name\\\\":2}', '{"first":1,"name\\u0000":2}', "name\0"],
  ['{"second":1,"is_admi\\\\":2}', '{"second":1,"is_admi\\u006e":2}', "is_admin"],
  ['{"third":1,"kuma.io\\\\/servic":2}', '{"third":1,"kuma.io\\/service" :2}', "kuma.io/service"],
] as const;

for (const [poison, text, key] of misread) {
  test(`parseJson() reads the key ${JSON.stringify(key)} as it is spelled, whatever was read before`, () => {
    for (let times = 0; times < 5; times += 1) JSON.parse(poison);
    assert.deepEqual(Object.keys(parseJson(text) as object).at(-1), key);
    assert.deepEqual(Object.keys((parseJson(`[${text}]`) as object[])[0] ?? {}).at(-1), key);
  });
}

test("parseJson() gives what was written, whatever keys it has", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(undefined, 1, "\t"), (value, indent) => {
      fc.pre(!JSON.stringify(value).includes("__proto__"));
      assert.deepEqual(parseJson(JSON.stringify(value, null, indent)), value);
    }),
  );
});

// Each has an escaped key, so it is never JSON.parse that answers.
const marks = fc.string({
  unit: fc.constantFrom("{", "}", "[", "]", '"', "\\", ":", ",", "a", "1", "-", ".", "e", " ", "u"),
});

test("parseJson() refuses what JSON.parse refuses, with or without escaped keys", () => {
  fc.assert(
    fc.property(marks, fc.constantFrom('{"":', '{"\\n":'), (value, start) => {
      const text = `${start}${value}}`;
      assert.equal(isReadBy(parseJson, text), isReadBy(JSON.parse, text), text);
    }),
    { numRuns: 5_000 },
  );
});

test("parseJson() keeps the last of two values and makes no prototype of __proto__", () => {
  assert.deepEqual(parseJson('{"\\n":1,"a":1,"a":2}'), { "\n": 1, a: 2 });
  const read = parseJson('{"\\n":1,"__proto__":{"polluted":true}}') as object;
  assert.equal(Object.getPrototypeOf(read), Object.prototype);
  assert.deepEqual(Object.keys(read), ["\n", "__proto__"]);
});

function isReadBy(read: (text: string) => unknown, text: string): boolean {
  try {
    read(text);
    return true;
  } catch (error) {
    assert.ok(error instanceof SyntaxError, `${String(error)} for ${text}`);
    return false;
  }
}
