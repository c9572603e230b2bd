import assert from "node:assert/strict";
import { test } from "node:test";
import { FractionalPercent_DenominatorType } from "@heddle/envoy/gen/envoy/type/v3/percent_pb.js";
import { fractionalPercent, percent, runtimePercent } from "./percent.ts";

const shares = [
  [0, 0, "HUNDRED"],
  [50, 50, "HUNDRED"],
  [100, 100, "HUNDRED"],
  [0.5, 50, "TEN_THOUSAND"],
  [33.33, 3_333, "TEN_THOUSAND"],
  [0.001, 10, "MILLION"],
] as const;

for (const [share, numerator, denominator] of shares) {
  test(`fractionalPercent() writes ${share}% as ${numerator} of a ${denominator}`, () => {
    const message = fractionalPercent(share);
    assert.equal(message.numerator, numerator);
    assert.equal(message.denominator, FractionalPercent_DenominatorType[denominator]);
  });
}

test("percent() keeps fractions as they are", () => {
  assert.equal(percent(33.3).value, 33.3);
});

test("runtimePercent() names no runtime key, so that nothing can override the share", () => {
  const message = runtimePercent(10);
  assert.equal(message.runtimeKey, "");
  assert.equal(message.defaultValue?.numerator, 10);
});
