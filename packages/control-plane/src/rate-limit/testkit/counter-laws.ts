import assert from "node:assert/strict";
import fc from "fast-check";
import { type Count, type Counters, windowStart } from "../counters.ts";

/** Counters over a clock that a test moves. */
export type OpenCounters = (now: () => number) => readonly Counters[];

const INTERVALS = [1_000, 60_000];
const step = fc.record({
  /** Who asks: several callers share what is counted. */
  caller: fc.nat({ max: 2 }),
  keys: fc.uniqueArray(fc.constantFrom("a", "b", "c"), { minLength: 1 }),
  hits: fc.integer({ min: 1, max: 3 }),
  interval: fc.constantFrom(...INTERVALS),
  /** Time that goes by before. */
  wait: fc.constantFrom(0, 0, 0, 1, 400, 1_000, 61_000),
});

/**
 * The law of a limit: over any interleaving of callers, what is admitted of one key in one window is never more than its
 * limit, and nothing is refused before that much was asked for.
 */
export async function assertCounterLaw(open: OpenCounters, runs: number): Promise<void> {
  let run = 0;
  const property = fc.asyncProperty(
    fc.array(step, { maxLength: 60 }),
    fc.integer({ min: 1, max: 10 }),
    async (steps, limit) => {
      run += 1;
      let time = 1_700_000_000_123;
      const callers = open(() => time);
      const asked = new Map<string, number>();
      const admitted = new Map<string, number>();
      const waiting: Promise<void>[] = [];
      for (const { caller, keys, hits, interval, wait } of steps) {
        // A window ends for all at once: what was asked before is answered before.
        if (wait > 0) await Promise.all(waiting.splice(0));
        time += wait;
        const start = windowStart(time, interval);
        const names = keys.map((key) => `${key}/${interval}/${start}`);
        const counts: Count[] = keys.map((key) => ({
          key: `run ${run} ${key} ${interval}`,
          hits,
          intervalMillis: interval,
        }));
        for (const name of names) asked.set(name, (asked.get(name) ?? 0) + hits);
        const counted = callers[caller % callers.length]?.count(counts) ?? [];
        const judge = (numbers: readonly number[]): void => {
          for (const [index, name] of names.entries()) {
            if ((numbers[index] ?? Infinity) <= limit) admitted.set(name, (admitted.get(name) ?? 0) + hits);
          }
        };
        if (counted instanceof Promise) waiting.push(counted.then(judge));
        else judge(counted);
      }
      await Promise.all(waiting);
      for (const [name, total] of asked) {
        const through = admitted.get(name) ?? 0;
        assert.ok(through <= limit, `${through} of ${name} passed, the limit is ${limit}`);
        // Hits come in twos and threes too, so the last one may not fit.
        assert.ok(through > Math.min(total, limit) - 3, `only ${through} of ${name} passed, ${total} were asked for`);
      }
    },
  );
  await fc.assert(property, { numRuns: runs });
}
