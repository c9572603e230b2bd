import assert from "node:assert/strict";
import { test } from "node:test";
import { Progress } from "./progress.ts";

const never = new AbortController().signal;

test("Progress wakes everybody who waits", async () => {
  const progress = new Progress();
  const waiting = [progress.wait(never), progress.wait(never)];
  progress.notify();
  await Promise.all(waiting);
});

test("Progress makes one of many notices in one turn", async () => {
  const progress = new Progress();
  let wakes = 0;
  const ending = new AbortController();
  const follow = async (): Promise<void> => {
    for (;;) {
      await progress.wait(ending.signal);
      wakes += 1;
    }
  };
  const following = follow();
  for (let count = 0; count < 1_000; count += 1) progress.notify();
  await new Promise((resolve) => setTimeout(resolve, 20));
  ending.abort(new Error("enough"));
  await assert.rejects(following, /enough/);
  assert.equal(wakes, 1);
});

test("Progress tells a notice that comes while another is being delivered", async () => {
  const progress = new Progress();
  progress.notify();
  await progress.wait(never);
  const second = progress.wait(never);
  progress.notify();
  await second;
});

test("Progress.wait() throws the reason of a signal that aborts, also of one that had", async () => {
  const ending = new AbortController();
  const waiting = new Progress().wait(ending.signal);
  ending.abort(new Error("the caller left"));
  await assert.rejects(waiting, /the caller left/);
  await assert.rejects(new Progress().wait(ending.signal), /the caller left/);
});
