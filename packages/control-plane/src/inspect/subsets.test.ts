import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { combinations, isWithin } from "./subsets.ts";

const tags = fc.dictionary(fc.constantFrom("service", "team", "zone"), fc.constantFrom("a", "b", "*"));
const caller = fc.record({
  service: fc.constantFrom("a", "b", "c"),
  team: fc.constantFrom("a", "b", "c"),
  zone: fc.constantFrom("a", "b", "c"),
});

test("combinations() has, for every caller, a first match to which the same groups apply as to the caller", () => {
  fc.assert(
    fc.property(fc.array(tags, { maxLength: 4 }), caller, (groups, who) => {
      const { sets, isComplete } = combinations(groups);
      const match = sets.find((set) => isWithin(set, who));
      const applying = (set: Readonly<Record<string, string>>): readonly number[] =>
        groups.flatMap((group, index) => (isWithin(group, set) ? [index] : []));
      assert.ok(isComplete);
      assert.deepEqual(match === undefined ? [] : applying(match), applying(who));
    }),
    { numRuns: 1_000 },
  );
});

test("combinations() of too many groups leaves unions out and says so", () => {
  const groups = Array.from({ length: 20 }, (_, index) => ({ [`tag-${index}`]: "yes" }));
  const { sets, isComplete } = combinations(groups);
  assert.equal(isComplete, false);
  assert.deepEqual(sets, groups);
});
