import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { duration } from "./duration.ts";

test("duration() leaves unset what is unset, and zero zero", () => {
  assert.equal(duration(undefined), undefined);
  assert.equal(duration(0).seconds, 0n);
});

test("duration() writes whole seconds and the rest in nanoseconds", () => {
  const { seconds, nanos } = duration(1_500);
  assert.deepEqual([seconds, nanos], [1n, 500_000_000]);
});

test("duration() never gives a whole second as nanoseconds, and loses no millisecond", () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 40 }), (millis) => {
      const { seconds, nanos } = duration(millis);
      assert.ok(nanos < 1e9);
      assert.equal(Number(seconds) * 1_000 + nanos / 1e6, millis);
    }),
  );
});
