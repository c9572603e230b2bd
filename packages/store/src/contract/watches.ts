import assert from "node:assert/strict";
import type { Store, StoreEvent } from "@heddle/model/store.ts";
import type { ContractTest } from "../contract.ts";
import { assertRefused, eventText, keyOf, sample, takeEvents } from "./samples.ts";

/** Watches: order, no gaps, resuming, slow readers, and how they end. */
export function watchContract(test: ContractTest): void {
  telling(test);
  resuming(test);
  ending(test);
}

function telling(test: ContractTest): void {
  test("watch() tells of each change in order, with what was before", async (store, t) => {
    const batches = store.watch({ signal: t.signal });
    const created = await store.create(sample("a", { spec: 1 }));
    const updated = await store.update(sample("a", { spec: 2 }), created.version);
    await store.delete(keyOf(created));
    const [first, second, third] = await takeEvents(batches, 3);
    assert.deepEqual(withoutRevision(first), { change: "put", resource: created });
    assert.deepEqual(withoutRevision(second), { change: "put", resource: updated, previous: created });
    assert.deepEqual(withoutRevision(third), { change: "delete", resource: updated });
    assert.equal(third?.revision, await store.revision());
  });

  test("watch() begins with its call, not with its first reading", async (store, t) => {
    await store.create(sample("before"));
    const batches = store.watch({ signal: t.signal });
    await store.create(sample("after"));
    assert.deepEqual((await takeEvents(batches, 1)).map(eventText), ["put after"]);
  });

  test("watch() wakes a reader that waits", async (store, t) => {
    const waiting = takeEvents(store.watch({ signal: t.signal }), 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await store.create(sample("a"));
    assert.deepEqual((await waiting).map(eventText), ["put a"]);
  });

  test("watch() does not tell of writes that were refused", async (store, t) => {
    const batches = store.watch({ signal: t.signal });
    await store.create(sample("a"));
    await assertRefused(store.create(sample("a")), "already_exists");
    await assertRefused(store.update(sample("b"), 1), "not_found");
    await store.create(sample("c"));
    assert.deepEqual((await takeEvents(batches, 2)).map(eventText), ["put a", "put c"]);
  });

  test("watch() has nothing that get() does not show yet", async (store, t) => {
    const batches = store.watch({ signal: t.signal });
    const writing = Promise.all(Array.from({ length: 50 }, (_, index) => store.create(sample(`n${index}`))));
    let seen = 0;
    for await (const batch of batches) {
      for (const { resource } of batch) assert.deepEqual(await store.get(keyOf(resource)), resource);
      assert.ok((await store.revision()) >= (batch.at(-1)?.revision ?? Number.NaN));
      seen += batch.length;
      if (seen === 50) break;
    }
    await writing;
  });

  test("watch() gives many readers the same, and none can spoil it for the others", async (store, t) => {
    const readers = Array.from({ length: 30 }, () => store.watch({ signal: t.signal }));
    await Promise.all(Array.from({ length: 100 }, (_, index) => store.create(sample(`n${index}`))));
    const [first, ...others] = await Promise.all(readers.map((reader) => takeAndSpoil(reader, 100)));
    assert.equal(first?.length, 100);
    for (const other of others) assert.deepEqual(other, first);
  });
}

function resuming(test: ContractTest): void {
  test("watch() goes on after any revision, without gaps", async (store, t) => {
    const start = await store.revision();
    const writes = Array.from({ length: 40 }, (_, index) => store.create(sample(`n${index}`)));
    await Promise.all(writes.slice(0, 25));
    await Promise.all(writes);
    const all = await takeEvents(store.watch({ after: start, signal: t.signal }), 40);
    assert.deepEqual(
      revisionsOf(all),
      revisionsOf(all).toSorted((a, b) => a - b),
    );
    assert.equal(new Set(all.map(eventText)).size, 40);
    for (const [index, { revision }] of all.entries()) {
      const rest = await takeEvents(store.watch({ after: revision, signal: t.signal }), 39 - index);
      assert.deepEqual(rest, all.slice(index + 1));
    }
  });

  test("watch() after the revision of a list misses nothing", async (store, t) => {
    const writing = Promise.all(Array.from({ length: 300 }, (_, index) => store.create(sample(`n${index}`))));
    await store.create(sample("early"));
    const after = await store.revision();
    const known = new Set((await store.list({ type: "MeshTimeout" })).items.map(({ name }) => name));
    await Promise.all([writing, store.create(sample("late"))]);
    for await (const batch of store.watch({ after, signal: t.signal })) {
      for (const { resource } of batch) known.add(resource.name);
      if ((batch.at(-1)?.revision ?? 0) >= (await store.revision())) break;
    }
    assert.equal(known.size, 302);
  });

  test("watch() lets a slow reader take its time, and it gets everything", async (store, t) => {
    const batches = store.watch({ signal: t.signal });
    const created = await store.create(sample("a"));
    let { version } = created;
    for (let round = 0; round < 30; round += 1) {
      await Promise.all(Array.from({ length: 100 }, (_, index) => store.create(sample(`n${round}-${index}`))));
      ({ version } = await store.update(sample("a", { spec: round }), version));
    }
    const events = await takeEvents(batches, 3_031);
    assert.equal(events.at(-1)?.revision, await store.revision());
    const specs = events.filter(({ resource }) => resource.name === "a").map(({ resource }) => resource.spec);
    assert.deepEqual(
      specs.slice(1),
      Array.from({ length: 30 }, (_, round) => round),
    );
  });

  test(
    "watch() says so when it was asked for changes that are forgotten",
    async (store, t) => {
      const slow = store.watch({ signal: t.signal });
      const { version } = await store.create(sample("a"));
      await updateTimes(store, version, 200);
      await assertRefused(takeEvents(slow, 1), "expired");
      const after = (await store.revision()) - 5;
      assert.equal((await takeEvents(store.watch({ after, signal: t.signal }), 5)).length, 5);
    },
    { keepChanges: 20 },
  );

  test("watch() refuses revisions that never were", async (store, t) => {
    await store.create(sample("a"));
    const after = (await store.revision()) + 1;
    await assertRefused(takeEvents(store.watch({ after, signal: t.signal }), 1), "expired");
    await assertRefused(takeEvents(store.watch({ after: -1, signal: t.signal }), 1), "expired");
  });
}

function ending(test: ContractTest): void {
  test("watch() ends when its signal aborts, waiting or not", async (store) => {
    const controller = new AbortController();
    const waiting = takeEvents(store.watch({ signal: controller.signal }), 1);
    const busy = store.watch({ signal: controller.signal });
    await Promise.all([store.create(sample("a")), waiting]);
    const idle = takeEvents(store.watch({ signal: controller.signal }), 1);
    controller.abort();
    assert.deepEqual(await idle, []);
    assert.deepEqual(await takeEvents(busy, 1), []);
    assert.deepEqual(await takeEvents(store.watch({ signal: AbortSignal.abort() }), 1), []);
  });

  test("watch() can be left in the middle, and others go on", async (store, t) => {
    const leaving = store.watch({ signal: t.signal });
    const staying = store.watch({ signal: t.signal });
    await store.create(sample("a"));
    await takeEvents(leaving, 1);
    await store.create(sample("b"));
    assert.deepEqual((await takeEvents(staying, 2)).map(eventText), ["put a", "put b"]);
  });

  test("closing ends the watches that wait for something to happen", async (store, t) => {
    await store.create(sample("a"));
    const waiting = takeEvents(store.watch({ signal: t.signal }), 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await store[Symbol.asyncDispose]();
    assert.deepEqual(await waiting, []);
  });

  test("closing finishes the writes that were begun, ends the watches, and then refuses", async (store, t) => {
    const waiting = takeEvents(store.watch({ signal: t.signal }), 1_000);
    const writes = Array.from({ length: 50 }, (_, index) => store.create(sample(`n${index}`)));
    await Promise.all([store[Symbol.asyncDispose](), store[Symbol.asyncDispose]()]);
    assert.equal((await Promise.all(writes)).length, 50);
    assert.ok((await waiting).length <= 50);
    await assertRefused(store.create(sample("late")), "unavailable", "MeshTimeout/default/late");
    await assertRefused(store.get(keyOf(sample("n1"))), "unavailable");
    await assertRefused(store.list({ type: "MeshTimeout" }), "unavailable");
  });
}

async function updateTimes(store: Store, version: number, times: number): Promise<void> {
  for (let round = 0; round < times; round += 1)
    ({ version } = await store.update(sample("a", { spec: round }), version));
}

/** Reads events, then tries to change what it was given; gives back a copy from before. */
async function takeAndSpoil(
  batches: AsyncIterable<readonly StoreEvent[]>,
  count: number,
): Promise<readonly StoreEvent[]> {
  const events = await takeEvents(batches, count);
  const copy = structuredClone(events);
  for (const event of events) Reflect.set(event.resource, "spec", "spoilt");
  return copy;
}

function withoutRevision(event: StoreEvent | undefined): object {
  const { revision, ...rest } = event ?? { revision: 0 };
  assert.ok(revision > 0);
  return rest;
}

function revisionsOf(events: readonly StoreEvent[]): readonly number[] {
  return events.map((event) => event.revision);
}
