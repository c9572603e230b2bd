import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, statSync, truncateSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { Store, StoreEvent } from "@heddle/model/store.ts";
import { assertRefused, eventText, keyOf, sample, takeEvents } from "../contract/samples.ts";
import { openSqliteStore } from "../sqlite.ts";
import { temporaryFile, temporaryFolder } from "./testkit.ts";

const signal = AbortSignal.timeout(60_000);

test("openSqliteStore() gives back after a restart exactly what was there", async (t) => {
  const file = temporaryFile(t);
  const before = await using(file, async (store) => {
    await writeSome(store);
    return { page: await store.list({ type: "MeshTimeout" }), revision: await store.revision() };
  });
  await using store = await openSqliteStore({ file });
  assert.deepEqual(await store.list({ type: "MeshTimeout" }), before.page);
  assert.equal(await store.revision(), before.revision);
});

test("watch() goes on after a restart with the same events in the same batches", async (t) => {
  const file = temporaryFile(t);
  const before = await using(file, async (store) => {
    await writeSome(store);
    return batchesAfter(store, 0);
  });
  await using store = await openSqliteStore({ file });
  assert.deepEqual(await batchesAfter(store, 0), before);
  const middle = before[2]?.[1]?.revision ?? Number.NaN;
  assert.deepEqual((await batchesAfter(store, middle))[0], before[2]?.slice(2));
  await store.create(sample("new"));
  const events = before.flat();
  assert.deepEqual(await takeEvents(store.watch({ after: 0, signal }), events.length), events);
});

test("writes of one turn are one transaction, whether or not some are refused", async (t) => {
  await using store = await openSqliteStore({ file: temporaryFile(t) });
  const batches = store.watch({ signal });
  const writes = ["a", "b", "a", "c"].map((name) => store.create(sample(name)));
  await Promise.allSettled(writes);
  await store.create(sample("d"));
  assert.deepEqual(
    (await firstBatches(batches, 2)).map((batch) => batch.map(eventText)),
    [["put a", "put b", "put c"], ["put d"]],
  );
});

test("the file keeps about as many changes as it is told to, over restarts", async (t) => {
  const file = temporaryFile(t);
  for (let restart = 0; restart < 3; restart += 1) {
    await using(
      file,
      async (store) => {
        for (let index = 0; index < 60; index += 1) await store.create(sample(`n${restart}-${index}`));
      },
      50,
    );
  }
  using db = new DatabaseSync(file);
  const kept = Number(db.prepare("SELECT count(*) AS kept FROM changes").get()?.["kept"]);
  assert.ok(kept >= 50 && kept <= 60, `${kept} changes`);
});

test("a power cut takes back no full write, and no revision that was seen gets another meaning", async (t) => {
  const file = temporaryFile(t);
  await using store = await openSqliteStore({ file });
  const relaxed = { durability: "relaxed" } as const;
  await store.create(sample("full"));
  const kept = await store.create(sample("relaxed-kept"), relaxed);
  await store.create(sample("full-2"));
  const synced = statSync(`${file}-wal`).size;
  const lost = [await store.create(sample("lost-1"), relaxed), await store.create(sample("lost-2"), relaxed)];
  const copy = copyAsOfSync(file, join(temporaryFolder(t), "heddle.db"), synced);

  await using restarted = await openSqliteStore({ file: copy });
  const names = (await restarted.list({ type: "MeshTimeout" })).items.map(({ name }) => name);
  assert.deepEqual(names, ["full", "full-2", "relaxed-kept"]);
  const next = await restarted.create(sample("next"));
  for (const { version } of lost) {
    assert.ok(next.version > version);
    await assertRefused(takeEvents(restarted.watch({ after: version, signal }), 1), "expired");
  }
  const seen = await takeEvents(restarted.watch({ after: kept.version, signal }), 2);
  assert.deepEqual(seen.map(eventText), ["put full-2", "put next"]);
  const fromStart = await takeEvents(restarted.watch({ after: next.version - 1, signal }), 1);
  assert.deepEqual(fromStart.map(eventText), ["put next"]);
});

test("closing gives back the revisions that were set aside for relaxed writes", async (t) => {
  const file = temporaryFile(t);
  const { version } = await using(file, (store) => store.create(sample("a"), { durability: "relaxed" }));
  await using store = await openSqliteStore({ file });
  assert.equal((await store.create(sample("b"))).version, version + 1);
});

/** Opens a store for as long as `work` takes. */
async function using<T>(file: string, work: (store: Store) => Promise<T>, keepChanges = 10_000): Promise<T> {
  await using store = await openSqliteStore({ file, keepChanges });
  return await work(store);
}

/** Creates, updates and deletes, in batches of several sizes. */
async function writeSome(store: Store): Promise<void> {
  const first = await store.create(sample("a", { status: { ok: true } }));
  await store.update(sample("a", { labels: { zone: "east" } }), first.version);
  await Promise.all(["b", "c", "d", "e"].map((name) => store.create(sample(name))));
  await Promise.all([store.delete(keyOf(sample("b"))), store.create(sample("f"), { durability: "relaxed" })]);
}

async function batchesAfter(store: Store, after: number): Promise<readonly (readonly StoreEvent[])[]> {
  const newest = await store.revision();
  const batches: (readonly StoreEvent[])[] = [];
  for await (const batch of store.watch({ after, signal })) {
    batches.push(batch);
    if (batch.at(-1)?.revision === newest) break;
  }
  return batches;
}

async function firstBatches(
  watch: AsyncIterable<readonly StoreEvent[]>,
  count: number,
): Promise<readonly (readonly StoreEvent[])[]> {
  const batches: (readonly StoreEvent[])[] = [];
  for await (const batch of watch) if (batches.push(batch) === count) break;
  return batches;
}

/** What a disk would hold that got nothing of the WAL after the last sync. */
function copyAsOfSync(file: string, copy: string, walSize: number): string {
  mkdirSync(dirname(copy), { recursive: true });
  copyFileSync(file, copy);
  copyFileSync(`${file}-wal`, `${copy}-wal`);
  truncateSync(`${copy}-wal`, walSize);
  return copy;
}
