import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { whyNotRe2 } from "./regular-expression.ts";

const fine = [
  "",
  "/item/[0-9]+(/.*)?",
  "a{2,3}b{4}c{5,}",
  "[]a]",
  "[^]a]",
  "[[:alpha:]_]+",
  "[[:^digit:]x[]",
  "\\(\\[\\{\\\\",
  "(?:a)(?i:b)(?P<name>c)",
  "\\d\\0",
  "a{,2}x{word}y{5000",
  "([a-z0-9-]{1,63}\\.){1,8}example\\.com",
  "\\p{Greek}+",
];
for (const pattern of fine) {
  test(`whyNotRe2() has nothing against ${pattern}`, () => assert.equal(whyNotRe2(pattern), undefined));
}

const refused: readonly [string, RegExp][] = [
  ["(a", /close every "\("/],
  ["a)", /open a "\("/],
  ["[a", /close every "\["/],
  ["a\\", /single backslash/],
  ["(a)\\1", /no references back/],
  ["\\k<n>", /no references back/],
  ["(?=a)", /no such group/],
  ["(?<!a)", /no such group/],
  ["a{1001}", /1000 times/],
  ["a{2,5000}", /1000 times/],
  ["a".repeat(1_025), /at most 1024/],
  ["*.example.com", /missing argument to repetition operator/],
  ["a**", /invalid nested repetition/],
  ["[b-a]", /invalid character class range/],
  ["((a{10}){10}){11}", /invalid repeat count/],
  ["((a{10}){10}){10}".repeat(11), /unfold into more than 10000 steps/],
  ["\\pL{26}", /unfold into more than 10000 steps/],
];
for (const [pattern, reason] of refused) {
  test(`whyNotRe2() says why not ${pattern.slice(0, 12)}`, () => assert.match(whyNotRe2(pattern) ?? "", reason));
}

test("whyNotRe2() answers at once, whatever the text is", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."([{}])\\?=!<:^|*+,a0"), maxLength: 1_024 }), (pattern) => {
      const began = performance.now();
      whyNotRe2(pattern);
      assert.ok(performance.now() - began < 50);
    }),
  );
  assert.match(whyNotRe2("(".repeat(2_000_000)) ?? "", /at most 1024/);
});
