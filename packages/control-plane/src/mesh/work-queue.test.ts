import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { WorkQueue } from "./work-queue.ts";

test("WorkQueue does the first slice at once, and the rest in later turns", async () => {
  const done: number[] = [];
  let idle = 0;
  const queue = new WorkQueue<number>(
    0,
    (item) => done.push(item),
    () => (idle += 1),
  );
  queue.add([1, 2, 3, 2]);
  assert.deepEqual(done, [1]);
  assert.equal(queue.size, 2);
  while (queue.size > 0) await turn();
  await turn();
  assert.deepEqual(done, [1, 2, 3]);
  assert.equal(idle, 1);
});

test("WorkQueue lets others go first with addLater(), and forgets what is deleted", async () => {
  const done: string[] = [];
  const queue = new WorkQueue<string>(
    10,
    (item) => done.push(item),
    () => undefined,
  );
  queue.addLater("a");
  queue.addLater("b");
  queue.delete("b");
  assert.deepEqual(done, []);
  await turn();
  assert.deepEqual(done, ["a"]);
});
