import assert from "node:assert/strict";
import { test } from "node:test";
import { age, ahead, elapsed } from "./age.ts";

const NOW = new Date("2026-11-23T12:00:00Z");

const ages = [
  ["2026-11-23T11:59:48Z", "12s"],
  ["2026-11-23T11:55:00Z", "5m"],
  ["2026-11-23T09:00:01Z", "2h"],
  ["2026-10-14T12:00:00Z", "40d"],
  ["2026-11-23T12:00:05Z", "0s"],
  ["yesterday", undefined],
  [undefined, undefined],
] as const;
for (const [time, expected] of ages) {
  test(`age() says ${expected} for ${time}`, () => {
    assert.equal(age(time, NOW), expected);
  });
}

test("ahead() tells what is to come from what is past", () => {
  assert.equal(ahead("2026-11-24T11:30:00Z", NOW), "in 23h");
  assert.equal(ahead("2026-11-23T11:56:00Z", NOW), "4m ago");
  assert.equal(ahead(undefined, NOW), undefined);
});

const spans = [
  [12.4, "12 ms"],
  [210, "0.21 s"],
  [12_340, "12.3 s"],
  [185_000, "3 m 5 s"],
] as const;
for (const [millis, expected] of spans) {
  test(`elapsed() writes ${millis} ms as ${expected}`, () => {
    assert.equal(elapsed(millis), expected);
  });
}
