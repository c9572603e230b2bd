import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import type { Worker } from "node:worker_threads";
import type { Store } from "@heddle/model/store.ts";
import { assertRefused, eventText, keyOf, sample, takeEvents } from "../contract/samples.ts";
import { openSqliteStore } from "../sqlite.ts";
import { openElsewhere, temporaryFile, temporaryFolder } from "./testkit.ts";

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const hasPrlimit = spawnSync("prlimit", ["--version"]).status === 0;

test("a full disk refuses writes, shows nothing of them, and lets them through once there is space", async (t) => {
  const folder = smallDisk(t);
  if (folder === undefined) return t.skip("needs the right to mount a small file system");
  const filler = join(folder, "filler");
  writeFileSync(filler, Buffer.alloc(512 * 1_024));
  await using store = await openSqliteStore({ file: join(folder, "heddle.db") });
  await assertStopsAndRecovers(store, /the disk is full/, () => rmSync(filler));
});

test(
  "a disk that reports errors refuses writes, shows nothing of them, and recovers",
  {
    skip: hasPrlimit ? false : "needs prlimit",
  },
  async (t) => {
    await using store = await openSqliteStore({ file: temporaryFile(t) });
    const lift = (): void => limitFileSize("unlimited");
    t.after(lift);
    limitFileSize(String(400 * 1_024));
    await assertStopsAndRecovers(store, /the disk reports an error/, lift);
  },
);

/** Writes until the store refuses; checks that readers see exactly what was acknowledged, before and after `repair`. */
async function assertStopsAndRecovers(store: Store, reason: RegExp, repair: () => void): Promise<void> {
  const signal = AbortSignal.timeout(10_000);
  const batches = store.watch({ signal });
  const big = (name: string): ReturnType<typeof store.create> =>
    store.create(sample(name, { spec: { text: "x".repeat(20_000) } }));
  const names: string[] = [];
  let refusal: unknown;
  while (refusal === undefined) {
    const name = `n${String(names.length).padStart(4, "0")}`;
    await big(name).then(
      () => names.push(name),
      (error: unknown) => (refusal = error),
    );
  }
  await assertRefused(Promise.reject(refusal), "unavailable", "heddle.db");
  assert.match(String(refusal), reason);
  const revision = await store.revision();
  const both = await Promise.allSettled([big("lost-1"), big("lost-2")]);
  assert.deepEqual(
    both.map(({ status }) => status),
    ["rejected", "rejected"],
  );
  assert.equal(await store.revision(), revision);
  assert.equal(await store.get(keyOf(sample("lost-1"))), undefined);
  repair();
  await big("recovered");
  const expected = [...names, "recovered"];
  assert.deepEqual(
    (await store.list({ type: "MeshTimeout" })).items.map(({ name }) => name),
    expected,
  );
  assert.deepEqual(
    (await takeEvents(batches, expected.length)).map(eventText),
    expected.map((name) => `put ${name}`),
  );
}

test("openSqliteStore() names the file when its folder cannot be written", async (t) => {
  const folder = temporaryFolder(t);
  chmodSync(folder, 0o755);
  const locked = join(folder, "locked");
  mkdirSync(locked);
  chmodSync(locked, 0o555);
  const said = openElsewhere(join(locked, "heddle.db"), isRoot ? { uid: NOBODY } : {});
  assert.match(said, /^StoreError: Cannot open store ".*\/locked\/heddle.db": this user may not; give it the folder/);
});

test("openSqliteStore() names the file when a part of its path is a file", async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "file"), "");
  const file = join(folder, "file", "heddle.db");
  await assertRefused(openSqliteStore({ file }), "unavailable", `"${file}": a part of its path is a file`);
});

test("openSqliteStore() refuses a file that is no database, and leaves it alone", async (t) => {
  const file = temporaryFile(t);
  mkdirSync(dirname(file));
  writeFileSync(file, "this is not a database, but it is somebody's file\n".repeat(50));
  const before = statSync(file).size;
  await assertRefused(openSqliteStore({ file }), "unavailable", `"${file}": it is not a database; restore it`);
  assert.equal(statSync(file).size, before);
});

test("openSqliteStore() refuses a file with damage anywhere instead of beginning with half of it", async (t) => {
  const file = temporaryFile(t);
  await fill(file, 200);
  const descriptor = openSync(file, "r+");
  for (const page of pagesOf(file, "changes").slice(5, 10))
    writeSync(descriptor, randomBytes(4_096), 0, 4_096, page * 4_096);
  closeSync(descriptor);
  await assertRefused(openSqliteStore({ file }), "unavailable", `"${file}": it is damaged; restore it from a backup`);
});

test("openSqliteStore() refuses a row that is damaged", async (t) => {
  const file = temporaryFile(t);
  await fill(file, 3);
  edit(file, `UPDATE resources SET content = substr(content, 1, 10) WHERE name = 'n1'`);
  await assertRefused(openSqliteStore({ file }), "unavailable", `"${file}": it is damaged; restore it from a backup`);
});

test("openSqliteStore() refuses the file of a newer release, and leaves it alone", async (t) => {
  const file = temporaryFile(t);
  await fill(file, 3);
  edit(file, "PRAGMA user_version = 7");
  await assertRefused(
    openSqliteStore({ file }),
    "unavailable",
    "a newer Heddle wrote it (schema 7, this one knows up to",
  );
  edit(file, "PRAGMA user_version = 2");
  await using store = await openSqliteStore({ file });
  assert.equal((await store.list({ type: "MeshTimeout" })).total, 3);
});

test("openSqliteStore() refuses the database of another program", async (t) => {
  const file = temporaryFile(t);
  mkdirSync(dirname(file));
  edit(file, "CREATE TABLE invoices (total INTEGER)");
  await assertRefused(openSqliteStore({ file }), "unavailable", "it is a database of another program");
});

test("a write is refused when the file was removed or replaced under the store", async (t) => {
  const file = temporaryFile(t);
  await using store = await openSqliteStore({ file });
  await store.create(sample("a"));
  const aside = `${file}.aside`;
  renameSync(file, aside);
  await assertRefused(store.create(sample("b")), "unavailable", "the file was removed or replaced while in use");
  copyFileSync(aside, file);
  await assertRefused(store.create(sample("b")), "unavailable", "the file was removed or replaced while in use");
  assert.equal((await store.get(keyOf(sample("a"))))?.name, "a");
  renameSync(aside, file);
  await store.create(sample("b"));
});

test("a write is refused when another program changed the file behind the store, until that is undone", async (t) => {
  const file = temporaryFile(t);
  await using store = await openSqliteStore({ file });
  const { version } = await store.create(sample("a"));
  const foreign = version + 2;
  edit(
    file,
    `INSERT INTO changes SELECT ${foreign}, ${foreign}, 'jump', '', '', '', 0, '', '', '{}', NULL, NULL, NULL`,
  );
  const both = await Promise.allSettled([store.create(sample("b")), store.create(sample("c"))]);
  for (const each of both) {
    assert.ok(each.status === "rejected");
    await assertRefused(Promise.reject(each.reason), "unavailable", "another program has written to it");
  }
  edit(file, `DELETE FROM changes WHERE revision = ${foreign}`);
  await store.create(sample("d"));
  using db = new DatabaseSync(file, { readOnly: true });
  assert.deepEqual(
    db
      .prepare("SELECT name FROM resources")
      .all()
      .map((row) => row["name"]),
    ["a", "d"],
  );
});

test("a store whose thread has ended refuses writes, and can still be read and closed", async (t) => {
  const threads: Worker[] = [];
  const note = (worker: Worker): unknown => threads.push(worker);
  process.once("worker", note);
  const file = temporaryFile(t);
  await using store = await openSqliteStore({ file });
  await store.create(sample("a"));
  const inFlight = store.create(sample("b"));
  await Promise.all([
    assertRefused(inFlight, "unavailable", `"${file}": an unexpected failure; restart the control plane`),
    threads[0]?.terminate(),
  ]);
  await assertRefused(store.create(sample("c")), "unavailable", file);
  assert.equal((await store.list({ type: "MeshTimeout" })).total, 1);
});

test("a SQLite shell can read the file while it is in use", async (t) => {
  const file = temporaryFile(t);
  await using store = await openSqliteStore({ file });
  await store.create(sample("a"));
  using db = new DatabaseSync(file, { readOnly: true });
  assert.deepEqual(
    db
      .prepare("SELECT name FROM resources")
      .all()
      .map((row) => row["name"]),
    ["a"],
  );
  await store.create(sample("b"));
});

async function fill(file: string, count: number): Promise<void> {
  await using store = await openSqliteStore({ file });
  const indexes = Array.from({ length: count }, (_, index) => index);
  await Promise.all(indexes.map((index) => store.create(sample(`n${index}`, { spec: "x".repeat(1_000) }))));
}

/** Where a table lies in the file. */
function pagesOf(file: string, table: string): readonly number[] {
  using db = new DatabaseSync(file);
  const rows = db.prepare("SELECT pageno FROM dbstat WHERE name = ? ORDER BY pageno").all(table);
  return rows.map((row) => Number(row["pageno"]) - 1);
}

function edit(file: string, sql: string): void {
  using db = new DatabaseSync(file);
  db.exec(sql);
}

/** A file system of one megabyte; undefined where this user may not mount one. */
function smallDisk(t: TestContext): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "heddle-disk-"));
  const isMounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]).status === 0;
  t.after(() => {
    if (isMounted) execFileSync("umount", ["--lazy", folder]);
    rmSync(folder, { recursive: true });
  });
  return isMounted ? folder : undefined;
}

/** Writing beyond this size fails with EFBIG from now on in this process. */
function limitFileSize(bytes: string): void {
  execFileSync("prlimit", ["--pid", String(process.pid), `--fsize=${bytes}:`]);
}
