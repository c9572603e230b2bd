import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Resource } from "@heddle/model/resource.ts";
import type { Store } from "@heddle/model/store.ts";
import { takeEvents } from "../contract/samples.ts";
import { openSqliteStore } from "../sqlite.ts";
import { kill, startWriter, temporaryFile } from "./testkit.ts";
import { wholeResource } from "./writer.testkit.ts";

const ROUNDS = 6;
const ENOUGH_WRITES = 1_000;

/** The last acknowledged write of each name; "delete" when that was one. */
type Acknowledged = Map<string, { readonly change: string; readonly index: number; readonly version: number }>;

test(
  "openSqliteStore() has every acknowledged write, whole, after kill -9 at a random moment",
  { timeout: 60_000 },
  async (t) => {
    const file = temporaryFile(t);
    const acknowledged: Acknowledged = new Map();
    let revision = 0;
    let writes = 0;
    for (let round = 0; round < ROUNDS || writes < ENOUGH_WRITES; round += 1) {
      const { child, lines } = startWriter(t, file, round * 100_000);
      writes += await readUntilKilled(lines, () => kill(child), acknowledged);
      await using store = await openSqliteStore({ file, keepChanges: 100_000 });
      revision = await assertNothingLost(store, acknowledged, revision);
      await assertWatchGoesOn(store, revision);
      revision = await store.revision();
    }
    t.diagnostic(`${writes} acknowledged writes, ${acknowledged.size} resources`);
  },
);

/** Reads what the writer acknowledges; kills it some random time after it began. */
async function readUntilKilled(
  lines: AsyncIterable<string>,
  killWriter: () => Promise<void>,
  acknowledged: Acknowledged,
): Promise<number> {
  let killed: Promise<void> | undefined;
  let writes = 0;
  for await (const line of lines) {
    killed ??= delay(Math.random() * 400).then(killWriter);
    const [change = "", name, index, version] = line.split(" ");
    if (name === undefined) continue;
    acknowledged.set(name, { change, index: Number(index), version: Number(version) });
    writes += 1;
  }
  await killed;
  return writes;
}

async function assertNothingLost(store: Store, acknowledged: Acknowledged, before: number): Promise<number> {
  const { items } = await store.list({ type: "Dataplane" });
  const stored = new Map(items.map((resource) => [resource.name, resource]));
  let newest = before;
  for (const [name, { change, index, version }] of acknowledged) {
    newest = Math.max(newest, version);
    assertNotOlder(name, stored.get(name), change === "put" ? { index, version } : undefined);
  }
  for (const resource of items) assertWhole(resource);
  assert.ok((await store.revision()) >= newest, "the revision went back");
  return newest;
}

/** What was done last may not have been acknowledged any more, so a resource may be one step ahead; never behind. */
function assertNotOlder(
  name: string,
  stored: Resource | undefined,
  expected: { readonly index: number; readonly version: number } | undefined,
): void {
  if (expected === undefined) return assert.equal(stored, undefined, `${name} was deleted and is back`);
  const serial = Number(name.slice(1));
  if (stored === undefined) return assert.ok(serial % 5 === 0, `${name} was acknowledged and is gone`);
  if (stored.version === expected.version) return assert.equal(stored.labels["index"], String(expected.index));
  assert.ok(stored.version > expected.version && serial % 2 === 0, `${name} is older than what was acknowledged`);
}

function assertWhole(resource: Resource): void {
  const { labels, spec } = wholeResource(resource.name, Number(resource.labels["index"]));
  assert.deepEqual({ labels: resource.labels, spec: resource.spec }, { labels, spec });
}

/** The past can be read from its beginning and adds up to what is stored; a new write follows the last one. */
async function assertWatchGoesOn(store: Store, newest: number): Promise<void> {
  const signal = AbortSignal.timeout(5_000);
  const next = await store.create(wholeResource(`after-${newest}`, newest));
  const replayed = new Map<string, Resource>();
  for await (const batch of store.watch({ after: 0, signal })) {
    for (const { change, resource } of batch) {
      if (change === "put") replayed.set(resource.name, resource);
      else replayed.delete(resource.name);
    }
    if (batch.at(-1)?.revision === next.version) break;
  }
  const { items } = await store.list({ type: "Dataplane" });
  assert.deepEqual([...replayed.values()].toSorted(byName), items);
  const [event] = await takeEvents(store.watch({ after: next.version - 1, signal }), 1);
  assert.deepEqual(event?.resource, next);
}

function byName(a: Resource, b: Resource): number {
  return a.name < b.name ? -1 : 1;
}
