import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Store } from "@heddle/model/store.ts";
import { storeContract } from "./contract.ts";
import { assertRefused, eventText, keyOf, sample, takeEvents } from "./contract/samples.ts";
import { openEncryptedStore, type EncryptedStore } from "./encrypted.ts";
import { openSqliteStore } from "./sqlite.ts";
import { keysOf } from "./sqlite/keys.testkit.ts";
import { kill, temporaryFile } from "./sqlite/testkit.ts";

storeContract("encrypted store:", async (t, settings) => {
  const { store } = await openEncryptedStore({ file: temporaryFile(t), encryption: keysOf("a"), ...settings });
  return store;
});

const SECRET = "plain-text-of-a-secret";

test("openEncryptedStore() leaves nothing of what is stored readable in its files, changed and deleted things included", async (t) => {
  const file = temporaryFile(t);
  const { store } = await openEncryptedStore({ file, encryption: keysOf("a") });
  await fill(store, 20);
  const changed = await store.get(keyOf(sample("n1")));
  await store.update(sample("n1", { spec: { text: `${SECRET}-2` } }), changed?.version ?? 0);
  await store.delete(keyOf(sample("n2")));
  assertUnreadable(file);
  await store[Symbol.asyncDispose]();
  assertUnreadable(file);
  await using again = (await openEncryptedStore({ file, encryption: keysOf("a") })).store;
  assert.deepEqual((await again.get(keyOf(sample("n1"))))?.spec, { text: `${SECRET}-2` });
});

test("openEncryptedStore() encrypts a plain store, forgets no change of it, and cleans its files", async (t) => {
  const file = temporaryFile(t);
  const plain = await openSqliteStore({ file });
  await fill(plain, 300);
  for (let index = 0; index < 100; index += 1) await plain.delete(keyOf(sample(`n${index}`)));
  await plain[Symbol.asyncDispose]();
  assert.ok(
    filesOf(file).some((content) => content.includes(SECRET)),
    "the plain store should hold the text",
  );
  const encrypted = await openEncryptedStore({ file, encryption: keysOf("a") });
  assert.equal(encrypted.isTidy, true);
  assertUnreadable(file);
  await using store = encrypted.store;
  assert.equal((await store.list({ type: "MeshTimeout" })).total, 200);
  const events = await takeEvents(store.watch({ after: 0, signal: AbortSignal.timeout(5_000) }), 400);
  assert.deepEqual([events.length, events.at(-1) && eventText(events.at(-1)!)], [400, "delete n99"]);
});

test("openEncryptedStore() cleans up later when another program reads the plain file meanwhile", async (t) => {
  const file = temporaryFile(t);
  const plain = await openSqliteStore({ file });
  await fill(plain, 5);
  await plain[Symbol.asyncDispose]();
  const backup = new DatabaseSync(file);
  backup.exec("BEGIN; SELECT * FROM resources");
  const first = await openEncryptedStore({ file, encryption: keysOf("a") });
  assert.equal(first.isTidy, false);
  await first.store[Symbol.asyncDispose]();
  backup.close();
  const second = await openEncryptedStore({ file, encryption: keysOf("a") });
  t.after(() => second.store[Symbol.asyncDispose]());
  assert.equal(second.isTidy, true);
  assertUnreadable(file);
});

test("an encrypted store is refused without its key, and nothing is made in its place", async (t) => {
  const file = temporaryFile(t);
  await (await openFilled(file)).store[Symbol.asyncDispose]();
  const before = readFileSync(file);
  await assertRefused(openEncryptedStore({ file, encryption: keysOf("b") }), "unavailable", "is not here; give it");
  await assertRefused(openSqliteStore({ file }), "unavailable", 'it is encrypted with key "aes-');
  assert.deepEqual(readFileSync(file), before);
});

const ATTACKS = [
  [
    "content moved from one row to another",
    `UPDATE resources SET content = (SELECT content FROM resources WHERE name = 'n2') WHERE name = 'n1'`,
  ],
  ["a row under another name", "UPDATE resources SET name = 'other' WHERE name = 'n1'"],
  ["a row in another mesh", "UPDATE resources SET mesh = 'other' WHERE name = 'n1'"],
  ["a row of another type", "UPDATE resources SET type = 'MeshRetry' WHERE name = 'n1'"],
  [
    "an older version's content",
    "UPDATE resources SET content = (SELECT previous_content FROM changes WHERE name = 'n0' AND previous_content IS NOT NULL) WHERE name = 'n0'",
  ],
  ["plain content among encrypted", `UPDATE resources SET content = '{"labels":{},"spec":{}}' WHERE name = 'n1'`],
  [
    "a byte that was changed",
    "UPDATE resources SET content = replace(content, substr(content, 60, 4), 'AAAA') WHERE name = 'n1'",
  ],
  ["data keys that were removed", "DELETE FROM data_keys"],
] as const;

for (const [what, sql] of ATTACKS) {
  test(`an encrypted store refuses ${what}`, async (t) => {
    const file = temporaryFile(t);
    const { store } = await openFilled(file);
    const n0 = await store.get(keyOf(sample("n0")));
    await store.update(sample("n0", { spec: {} }), n0?.version ?? 0);
    await store[Symbol.asyncDispose]();
    edit(file, sql);
    await assert.rejects(openEncryptedStore({ file, encryption: keysOf("a") }), (error: Error) => {
      assert.match(error.message, /^Cannot open store ".*": it is damaged; restore it from a backup/);
      return true;
    });
  });
}

test("EncryptedStore.rotate() encrypts everything anew under writes; the old key then opens nothing", async (t) => {
  const file = temporaryFile(t);
  const { store } = await openFilled(file, 250);
  await store[Symbol.asyncDispose]();
  const opened = await openEncryptedStore({ file, encryption: keysOf("b", "a") });
  const before = contentsOf(file);
  const steps: number[] = [];
  const writing = fill(opened.store, 50, "w");
  await opened.rotate(({ done, total }) => steps.push(done / total));
  await writing;
  assert.ok(steps.length > 3 && steps.at(-1) === 1, `steps: ${steps.join(" ")}`);
  assert.deepEqual(
    steps,
    steps.toSorted((a, b) => a - b),
  );
  assert.deepEqual(
    contentsOf(file).filter((content) => before.includes(content)),
    [],
  );
  await opened.store[Symbol.asyncDispose]();
  await assertRefused(openEncryptedStore({ file, encryption: keysOf("a") }), "unavailable", "is not here");
  await using again = (await openEncryptedStore({ file, encryption: keysOf("b") })).store;
  assert.equal((await again.list({ type: "MeshTimeout" })).total, 300);
  await readAllEvents(again, 300);
});

test("EncryptedStore.rotate() runs once at a time", async (t) => {
  const { store, rotate } = await openFilled(temporaryFile(t));
  t.after(() => store[Symbol.asyncDispose]());
  const running = rotate(() => undefined);
  await assertRefused(
    rotate(() => undefined),
    "conflict",
    "under way",
  );
  await running;
  await rotate(() => undefined);
});

test(
  "kill -9 at random moments of encrypting and of rotations loses nothing, and the next start ends them",
  { timeout: 60_000 },
  async (t) => {
    const file = temporaryFile(t);
    const plain = await openSqliteStore({ file, keepChanges: 100_000 });
    await fill(plain, 1_500);
    await plain[Symbol.asyncDispose]();
    let killedRotations = 0;
    for (let round = 0; round < 12; round += 1) {
      // Each round another key is in force, and the one before is still there.
      const words = [`key-${round}`, `key-${round - 1}`];
      const child = spawn(process.execPath, [join(import.meta.dirname, "sqlite/rotator.testkit.ts"), file, ...words], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      t.after(() => kill(child));
      let said = "";
      let killing: Promise<void> | undefined;
      // The first ones die while they encrypt what is plain, or while they open.
      const wait = round < 4 ? Math.random() * 120 : 150 + Math.random() * 400;
      for await (const line of createInterface({ input: child.stdout })) {
        said = line;
        killing ??= delay(wait).then(() => kill(child));
      }
      await killing;
      if (/^\d+$/.test(said)) killedRotations += 1;
      const opened = await openEncryptedStore({ file, encryption: keysOf(...words), keepChanges: 100_000 });
      assert.equal((await opened.store.list({ type: "MeshTimeout" })).total, 1_500);
      if (round % 4 === 0) await readAllEvents(opened.store, 1_500);
      await opened.store[Symbol.asyncDispose]();
      assert.equal(dataKeysOf(file), 1, "a rotation was not ended by the next start");
      assertUnreadable(file);
    }
    assert.ok(killedRotations > 0, "no round was killed within a rotation");
  },
);

async function openFilled(file: string, count = 5): Promise<EncryptedStore> {
  const opened = await openEncryptedStore({ file, encryption: keysOf("a") });
  await fill(opened.store, count);
  return opened;
}

async function fill(store: Store, count: number, prefix = "n"): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `${prefix}${index}`);
  await Promise.all(names.map((name) => store.create(sample(name, { spec: { text: `${SECRET}-${name}` } }))));
}

async function readAllEvents(store: Store, count: number): Promise<void> {
  const events = await takeEvents(store.watch({ after: 0, signal: AbortSignal.timeout(10_000) }), count);
  assert.equal(events.length, count);
}

/** The database, its WAL and whatever else lies beside it. */
function filesOf(file: string): readonly Buffer[] {
  const names = readdirSync(dirname(file)).filter((name) => name.startsWith(basename(file)) && !name.endsWith("-shm"));
  return names.map((name) => readFileSync(join(dirname(file), name)));
}

function assertUnreadable(file: string): void {
  assert.ok(existsSync(file));
  for (const content of filesOf(file)) assert.equal(content.includes(SECRET), false, "a secret is readable in a file");
}

function contentsOf(file: string): readonly unknown[] {
  using db = new DatabaseSync(file);
  return db
    .prepare("SELECT content FROM resources UNION ALL SELECT content FROM changes")
    .all()
    .map((row) => row["content"]);
}

function dataKeysOf(file: string): unknown {
  using db = new DatabaseSync(file);
  return db.prepare("SELECT count(*) AS keys FROM data_keys").get()?.["keys"];
}

function edit(file: string, sql: string): void {
  using db = new DatabaseSync(file);
  db.exec(sql);
}
