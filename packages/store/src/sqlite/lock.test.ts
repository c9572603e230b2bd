import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { assertRefused, sample } from "../contract/samples.ts";
import { openSqliteStore } from "../sqlite.ts";
import { kill, openElsewhere, startWriter, temporaryFile } from "./testkit.ts";

test("openSqliteStore() refuses a second process, and names the file and the first one", async (t) => {
  const file = temporaryFile(t);
  await using store = await openSqliteStore({ file });
  const refusal = `StoreError: Cannot open store "${file}": process ${process.pid} on `;
  assert.ok(openElsewhere(file).startsWith(refusal), openElsewhere(file));
  await store.create(sample("still-mine"));
});

test("openSqliteStore() refuses a second store in this process, which does not open the door to another one", async (t) => {
  const file = temporaryFile(t);
  await using store = await openSqliteStore({ file });
  await assertRefused(openSqliteStore({ file }), "unavailable", file);
  assert.match(openElsewhere(file), /has it open/);
  await store.create(sample("still-mine"));
});

test("openSqliteStore() takes over at once from a process that was killed", async (t) => {
  const file = temporaryFile(t);
  const { child, lines } = startWriter(t, file);
  for await (const line of lines) if (line !== "ready") break;
  await assertRefused(openSqliteStore({ file }), "unavailable", `process ${child.pid}`);
  await kill(child);
  await using store = await openSqliteStore({ file });
  assert.ok((await store.revision()) > 0);
});

test("openSqliteStore() opens again what was closed", async (t) => {
  const file = temporaryFile(t);
  const first = await openSqliteStore({ file });
  await first[Symbol.asyncDispose]();
  assert.equal(openElsewhere(file), "opened");
});

test("openSqliteStore() makes a folder and files that only their owner can read", async (t) => {
  const file = temporaryFile(t);
  await using store = await openSqliteStore({ file });
  await store.create(sample("secret"));
  assert.equal(modeOf(dirname(file)), 0o700);
  const files = readdirSync(dirname(file));
  assert.deepEqual(files.toSorted(), ["heddle.db", "heddle.db-shm", "heddle.db-wal", "heddle.db.lock"]);
  for (const name of files) assert.equal(modeOf(join(dirname(file), name)), 0o600, name);
});

test("openSqliteStore() closes a file that was open to others, and leaves the mode of a folder that was there", async (t) => {
  const file = temporaryFile(t);
  mkdirSync(dirname(file));
  chmodSync(dirname(file), 0o755);
  await (await openSqliteStore({ file }))[Symbol.asyncDispose]();
  chmodSync(file, 0o644);
  await (await openSqliteStore({ file }))[Symbol.asyncDispose]();
  assert.equal(modeOf(file), 0o600);
  assert.equal(modeOf(dirname(file)), 0o755);
});

test("a store that nobody closes does not keep its process alive", async (t) => {
  const url = new URL("../sqlite.ts", import.meta.url).href;
  const code = `const { openSqliteStore } = await import("${url}"); await openSqliteStore({ file: process.argv[1] });`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", code, temporaryFile(t)], { stdio: "inherit" });
  t.after(() => kill(child));
  assert.deepEqual(await once(child, "exit", { signal: AbortSignal.timeout(10_000) }), [0, null]);
});

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}
