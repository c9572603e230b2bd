import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { displayName, matchesLabels } from "./labels.ts";

const labels = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.constantFrom("1", "2", ""), { noNullPrototype: true });

test("matchesLabels() finds every part of what is there, and everything when nothing is asked", () => {
  fc.assert(
    fc.property(labels, fc.subarray(["a", "b", "c"]), (has, keys) => {
      const part = Object.fromEntries(Object.entries(has).filter(([key]) => keys.includes(key)));
      assert.equal(matchesLabels(part, has), true);
    }),
  );
});

test("matchesLabels() finds nothing that lacks one label, or has it with another value", () => {
  assert.equal(matchesLabels({ a: "1", b: "1" }, { a: "1" }), false);
  assert.equal(matchesLabels({ a: "1" }, { a: "2" }), false);
});

test('matchesLabels() takes "*" for any value of a label that is there', () => {
  assert.equal(matchesLabels({ a: "*" }, { a: "1" }), true);
  assert.equal(matchesLabels({ a: "*" }, { a: "" }), true);
  assert.equal(matchesLabels({ a: "*" }, { b: "1" }), false);
});

test("displayName() prefers the name that the user gave to the one it is stored under", () => {
  assert.equal(displayName({ name: "slow-x7", labels: { "kuma.io/display-name": "slow" } }), "slow");
  assert.equal(displayName({ name: "slow", labels: {} }), "slow");
});
