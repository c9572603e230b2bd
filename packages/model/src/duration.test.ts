import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatDuration, isDuration, parseDuration, toMillis } from "./duration.ts";

const accepted: readonly [string, number][] = [
  ["0", 0],
  ["0s", 0],
  ["250ms", 250],
  ["1.5s", 1_500],
  ["5s", 5_000],
  ["1h30m", 5_400_000],
  ["2m0.5s", 120_500],
  ["1us", 0.001],
  ["1µs", 0.001],
  ["10d", 864_000_000],
  ["1y", 31_536_000_000],
];
for (const [text, millis] of accepted) {
  test(`parseDuration() reads ${text}`, () => {
    assert.deepEqual(parseDuration(text, "spec"), { ok: true, value: millis });
  });
}

const refused = ["", "5", "s", "-5s", "5 s", "5s ", "1h 30m", "5sec", "1e3s", ".5s", "5S", "∞", "1".repeat(100) + "s"];
for (const text of refused) {
  test(`parseDuration() refuses ${JSON.stringify(text.slice(0, 12))}`, () => assert.equal(isDuration(text), false));
}

test("parseDuration() names the field, what was written, and what to write", () => {
  const message = 'must be a duration such as "5s" or "1h30m", not 15';
  assert.deepEqual(parseDuration(15, "spec.http.requestTimeout"), {
    ok: false,
    violations: [{ field: "spec.http.requestTimeout", message }],
  });
});

test("parseDuration() adds up the terms of any duration", () => {
  const term = fc.tuple(
    fc.nat(1_000),
    fc.constantFrom(["ms", 1] as const, ["s", 1_000] as const, ["m", 60_000] as const),
  );
  fc.assert(
    fc.property(fc.array(term, { minLength: 1, maxLength: 5 }), (terms) => {
      const text = terms.map(([count, [unit]]) => `${count}${unit}`).join("");
      const millis = terms.reduce((sum, [count, [, each]]) => sum + count * each, 0);
      assert.equal(toMillis(text), millis);
    }),
  );
});

test("toMillis() leaves unset what is unset, because zero means no limit", () => {
  assert.equal(toMillis(undefined), undefined);
  assert.equal(toMillis("0s"), 0);
});

test("isDuration() answers at once for a text of megabytes", () => {
  const began = performance.now();
  assert.equal(isDuration("9".repeat(5_000_000)), false);
  assert.ok(performance.now() - began < 1_000);
});

test("formatDuration() writes what parseDuration() reads back", () => {
  assert.deepEqual([0, 500, 5_400_000, 86_400_000].map(formatDuration), ["0s", "500ms", "1h30m", "1d"]);
  fc.assert(fc.property(fc.nat(1e12), (millis) => assert.equal(toMillis(formatDuration(millis)), millis)));
});
