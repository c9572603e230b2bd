import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoreEvent } from "@heddle/model/store.ts";
import { sample } from "../contract/samples.ts";
import { resourceOf } from "./draft.ts";
import { History } from "./history.ts";

test("History gives each batch once, and the rest of one to a reader that stopped inside it", () => {
  const history = new History(10, 100);
  history.append(events(11, 13));
  history.append(events(14, 14));
  assert.deepEqual(revisionsAfter(history, 10), [11, 12, 13]);
  assert.deepEqual(revisionsAfter(history, 12), [13]);
  assert.deepEqual(revisionsAfter(history, 13), [14]);
  assert.deepEqual(history.after(14), { state: "caught up" });
});

test("History tells what it has forgotten from what never was", () => {
  const history = new History(10, 2);
  for (const revision of [11, 12, 13, 14]) history.append(events(revision, revision));
  assert.deepEqual(history.after(9), { state: "forgotten" });
  assert.deepEqual(history.after(11), { state: "forgotten" });
  assert.deepEqual(revisionsAfter(history, 12), [13]);
  assert.deepEqual(history.after(15), { state: "unknown" });
});

test("History keeps the newest batch even when it alone is above the limit", () => {
  const history = new History(0, 5);
  history.append(events(1, 2));
  history.append(events(3, 50));
  assert.equal(revisionsAfter(history, 2).length, 48);
  assert.deepEqual(history.after(1), { state: "forgotten" });
});

function revisionsAfter(history: History, revision: number): readonly number[] {
  const step = history.after(revision);
  return step.state === "batch" ? step.batch.events.map((event) => event.revision) : [];
}

function events(first: number, last: number): readonly StoreEvent[] {
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const stamp = { creationTime: "", modificationTime: "", version: first + index };
    return { change: "put", revision: first + index, resource: resourceOf(sample("a"), sample("a"), stamp) };
  });
}
