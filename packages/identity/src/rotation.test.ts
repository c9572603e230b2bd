import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isDueForRotation, rotationTime, spareMillis, type Lifetime } from "./rotation.ts";

const DAY = 24 * 60 * 60 * 1000;
const day: Lifetime = { notBefore: new Date(0), notAfter: new Date(DAY) };

test("rotationTime() lies between one half and two thirds of any life, so that more than a third is always left", () => {
  const times = fc.tuple(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: 30_000, max: 1e12 }));
  fc.assert(
    fc.property(times, fc.string(), ([begin, life], workload) => {
      const lifetime = { notBefore: new Date(begin), notAfter: new Date(begin + life) };
      const share = (rotationTime(lifetime, workload).getTime() - begin) / life;
      assert.ok(share >= 0.5 - 1 / life && share <= 2 / 3, `${share}`);
    }),
  );
});

test("rotationTime() leaves the life that a target asks for, up to three quarters of it, and renews no later than without", () => {
  const lives = fc.tuple(fc.integer({ min: 30_000, max: 1e12 }), fc.double({ min: 0, max: 2, noNaN: true }));
  fc.assert(
    fc.property(lives, fc.string(), ([life, share], workload) => {
      const lifetime = { notBefore: new Date(0), notAfter: new Date(life) };
      const time = rotationTime(lifetime, workload, life * share).getTime();
      assert.ok(life - time >= Math.min(life * share, life * 0.75) - 1, "less than the target is left");
      assert.ok(life - time >= spareMillis(life, life * share) - 1);
      assert.ok(time <= rotationTime(lifetime, workload).getTime());
      assert.ok(time >= life * 0.18, "renewed all the time");
    }),
  );
});

test("rotationTime() spreads 2,000 workloads that started together: no minute of 240 has more than 25 of them", () => {
  const minutes = Array.from({ length: 2_000 }, (_, index) => rotationTime(day, `service-${index >> 1}-${index & 1}`))
    .map((time) => Math.floor(time.getTime() / 60_000))
    .reduce((count, minute) => count.set(minute, (count.get(minute) ?? 0) + 1), new Map<number, number>());
  assert.ok(Math.max(...minutes.values()) <= 25, `${Math.max(...minutes.values())} in one minute`);
  assert.ok(minutes.size > 220, `${minutes.size} different minutes`);
});

test("rotationTime() is the same each time, for it hangs on the name alone", () => {
  assert.deepEqual(rotationTime(day, "backend-1"), rotationTime({ ...day }, "backend-1"));
  assert.notDeepEqual(rotationTime(day, "backend-1"), rotationTime(day, "backend-2"));
});

test("isDueForRotation() turns true at the very moment and stays so", () => {
  const due = rotationTime(day, "backend-1").getTime();
  assert.equal(isDueForRotation(day, "backend-1", new Date(due - 1)), false);
  assert.equal(isDueForRotation(day, "backend-1", new Date(due)), true);
  assert.equal(isDueForRotation(day, "backend-1", new Date(DAY * 2)), true);
});

test("isDueForRotation() is true for a certificate without life", () => {
  assert.equal(isDueForRotation({ notBefore: new Date(5), notAfter: new Date(5) }, "backend-1", new Date(5)), true);
});
