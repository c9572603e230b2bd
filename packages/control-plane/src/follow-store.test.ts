import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { StoreEvent } from "@heddle/model/store.ts";
import { openMemoryStore } from "@heddle/store/memory.ts";
import { missNothing, withoutGaps } from "./follow-store.ts";

type Batches = AsyncIterable<readonly StoreEvent[]>;

/** A watch over five changes of a real store, as `change` passes it on; gives the revisions that arrive. */
async function revisions(change: (batches: Batches) => Batches): Promise<readonly number[]> {
  await using store = openMemoryStore();
  const ending = new AbortController();
  const batches = store.watch({ after: 0, signal: ending.signal });
  for (const name of ["a", "b", "c", "d"]) await store.create({ type: "Mesh", mesh: "", name, labels: {}, spec: {} });
  await store.delete({ type: "Mesh", mesh: "", name: "b" });
  const seen: number[] = [];
  for await (const events of withoutGaps(change(batches), 0)) {
    seen.push(...events.map(({ revision }) => revision));
    if (seen.at(-1) === 5) ending.abort();
  }
  return seen;
}

test("withoutGaps() passes on what a store tells", async () => {
  assert.deepEqual(await revisions((batches) => batches), [1, 2, 3, 4, 5]);
});

test("withoutGaps() throws when a change was dropped on its way: nothing that was missed once stays missed", async () => {
  const dropping = (dropped: number) =>
    async function* (batches: Batches): Batches {
      for await (const events of batches) {
        const left = events.filter(({ revision }) => revision !== dropped);
        if (left.length > 0) yield left;
      }
    };
  await assert.rejects(revisions(dropping(3)), /after its change 2 came 4/);
  await assert.rejects(revisions(dropping(1)), /after its change 0 came 2/);
});

test("withoutGaps() throws when a change comes twice", async () => {
  const again = async function* (batches: Batches): Batches {
    for await (const events of batches) yield [...events, ...events];
  };
  await assert.rejects(revisions(again), /after its change \d came \d/);
});

const mesh = (name: string) => ({ type: "Mesh", mesh: "", name, labels: {}, spec: {} });
const LOOK = 20;

/** What comes of following a store that has two changes, for some looks. */
async function followed(position: { told: number; isWaiting: boolean }): Promise<unknown> {
  await using store = openMemoryStore();
  for (const name of ["a", "b"]) await store.create(mesh(name));
  const ending = new AbortController();
  const failure = missNothing({ store, position, signal: ending.signal, lookMillis: LOOK }).catch(String);
  const outcome = await Promise.race([failure, sleep(15 * LOOK, "goes on")]);
  ending.abort();
  assert.ok(outcome !== "goes on" || (await failure) === undefined);
  return outcome;
}

test("missNothing() throws when the last change was dropped and no other shows it", async () => {
  assert.match(String(await followed({ told: 1, isWaiting: true })), /change 2 is in the store, and was not told/);
});

test("missNothing() goes on while all was told, and while somebody takes changes over, for as long as it takes", async () => {
  assert.equal(await followed({ told: 2, isWaiting: true }), "goes on");
  assert.equal(await followed({ told: 1, isWaiting: false }), "goes on");
});
