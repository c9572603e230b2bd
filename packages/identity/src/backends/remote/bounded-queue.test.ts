import assert from "node:assert/strict";
import { test } from "node:test";
import { backOff } from "./back-off.ts";
import { BoundedQueue } from "./bounded-queue.ts";

test("BoundedQueue runs as many at once as it is wide, and refuses what does not fit", async () => {
  const queue = new BoundedQueue(2, 3);
  let running = 0;
  let most = 0;
  const gates: (() => void)[] = [];
  const job = async (): Promise<void> => {
    running += 1;
    most = Math.max(most, running);
    await new Promise<void>((resolve) => gates.push(resolve));
    running -= 1;
  };
  const jobs = Array.from({ length: 5 }, () => queue.run(job));
  await assert.rejects(queue.run(job), /3 requests wait already/);
  while (gates.length > 0) {
    gates.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(jobs);
  assert.equal(most, 2);
});

test("BoundedQueue.clear() fails those that wait and lets those that run go on", async () => {
  const queue = new BoundedQueue(1, 10);
  const gate = Promise.withResolvers<string>();
  const first = queue.run(() => gate.promise);
  const second = queue.run(async () => "never");
  queue.clear(new Error("down"));
  await assert.rejects(second, /down/);
  gate.resolve("done");
  assert.equal(await first, "done");
  assert.equal(await queue.run(async () => "after"), "after");
});

test("backOff() doubles up to half a minute, half of it by chance", () => {
  assert.deepEqual(
    [0, 1, 2, 10, 1_000].map((tries) => backOff(tries, 0)),
    [250, 500, 1_000, 15_000, 15_000],
  );
  assert.equal(backOff(1_000, 1), 30_000);
});
