import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryCounters } from "./memory-counters.ts";
import { assertCounterLaw } from "./testkit/counter-laws.ts";

test("memoryCounters() never let more through than the limit, over any interleaving", async () => {
  await assertCounterLaw((now) => [memoryCounters({ now })], 300);
});

test("memoryCounters() drop counters whose window is over", () => {
  let time = 0;
  const counters = memoryCounters({ now: () => time });
  for (let index = 0; index < 50_000; index++) {
    time += 1;
    void counters.count([{ key: `key ${index}`, hits: 1, intervalMillis: 1_000 }]);
  }
  assert.ok(counters.size <= 2_000, `${counters.size} counters are kept, 1000 count`);
});

test("memoryCounters() take no more than their cap, and go on when windows are over", () => {
  let time = 0;
  const counters = memoryCounters({ now: () => time, most: 10 });
  const one = (key: string): unknown => counters.count([{ key, hits: 1, intervalMillis: 1_000 }]);
  for (let index = 0; index < 10; index++) one(`key ${index}`);
  assert.throws(() => one("one more"), /Cannot count one thing more: 10 are counted already/);
  assert.deepEqual(one("key 3"), [2]);
  time = 1_000;
  assert.deepEqual(one("one more"), [1]);
});

test("memoryCounters() open no window again when the clock is set back", () => {
  let time = 10_500;
  const counters = memoryCounters({ now: () => time });
  const count = (): unknown => counters.count([{ key: "a", hits: 1, intervalMillis: 1_000 }]);
  assert.deepEqual([count(), count()], [[1], [2]]);
  time = 9_000;
  assert.deepEqual(count(), [3]);
});
