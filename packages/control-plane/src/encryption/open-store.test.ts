import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { loadConfig } from "../config/load-config.ts";
import type { Config } from "../config/settings.ts";
import { type Log, textLog } from "../log.ts";
import { type EncryptionState, type OpenStore, openStoreFile } from "./open-store.ts";

const SECRET = { type: "GlobalSecret", mesh: "", name: "s", labels: {}, spec: { data: "c2VjcmV0" } };
const signal = new AbortController().signal;

test("openStoreFile() makes a key of its own that only this user may read, and opens with it again", async (t) => {
  const folder = temporaryFolder(t);
  const made = await written({ data: folder });
  const file = join(folder, "encryption.key");
  assert.deepEqual([made.use, statSync(file).mode & 0o777], ["generated", 0o600]);
  assert.deepEqual(await readBack({ data: folder }), made);
});

test("openStoreFile() refuses a store whose key is gone, names the key, and makes nothing in its place", async (t) => {
  const folder = temporaryFolder(t);
  const { keyId } = await written({ data: folder });
  const file = join(folder, "encryption.key");
  const key = readFileSync(file);
  rmSync(file);
  const before = readFileSync(join(folder, "store.sqlite"));
  await assert.rejects(openAs({ data: folder }), {
    message:
      `Cannot open store "${folder}/store.sqlite": it is encrypted with key "${keyId}", and the keys here are none; ` +
      `put the key back into "${folder}/encryption.key" if it was there, or give it with --encryption-key-file / ` +
      "HEDDLE_ENCRYPTION_KEY. Without it nobody can read the store",
  });
  assert.equal(existsSync(file), false);
  assert.deepEqual(readFileSync(join(folder, "store.sqlite")), before);
  writeFileSync(file, key);
  await readBack({ data: folder });
});

test("openStoreFile() goes from the key it made to one in a file and back, and rotation takes every other key away", async (t) => {
  const folder = temporaryFolder(t);
  const file = keyFile(t, newKey());
  const made = await written({ data: folder });
  const given = await readBack({ data: folder, "encryption-key-file": file });
  assert.equal(given.use, "file");
  assert.notEqual(given.keyId, made.keyId);
  assert.deepEqual(keyIdsOf(folder), [given.keyId]);
  const back = await readBack({ data: folder, "encryption-key-file": file, "encryption-use": "generated" });
  assert.equal(back.use, "generated");
  assert.deepEqual(keyIdsOf(folder), [back.keyId]);
  rmSync(file);
  await readBack({ data: folder });
});

test("rotate() of a key that the control plane made leaves one new key, and the old one opens nothing", async (t) => {
  const folder = temporaryFolder(t);
  const before = await written({ data: folder });
  const old = readFileSync(join(folder, "encryption.key"), "utf8");
  const after = await rotated({ data: folder });
  const now = readFileSync(join(folder, "encryption.key"), "utf8");
  assert.notEqual(after.keyId, before.keyId);
  assert.deepEqual([now.trim().split("\n").length, now === old], [1, false]);
  await readBack({ data: folder });
  writeFileSync(join(folder, "encryption.key"), old);
  await assert.rejects(openAs({ data: folder }), /it is encrypted with key "aes-/);
});

test("a rotation that ended right after its new key was written is no harm", async (t) => {
  const folder = temporaryFolder(t);
  await written({ data: folder });
  const file = join(folder, "encryption.key");
  const [old = ""] = readFileSync(file, "utf8").split("\n");
  const next = newKey();
  writeFileSync(file, `${next}\n${old}\n`);
  await readBack({ data: folder });
  assert.equal(readFileSync(file, "utf8"), `${next}\n`);
  await readBack({ data: folder });
});

test("rotate() takes the new key above the old one in a file, without a restart", async (t) => {
  const folder = temporaryFolder(t);
  const [old, next] = [newKey(), newKey()];
  const file = keyFile(t, old);
  const flags = { data: folder, "encryption-key-file": file };
  const before = await written(flags);
  const { store, encryption } = await openAs(flags);
  writeFileSync(file, `# new\n${next}\n# old\n${old}\n`);
  const after = await encryption.rotate(() => undefined);
  await store[Symbol.asyncDispose]();
  assert.notEqual(after.keyId, before.keyId);
  writeFileSync(file, next);
  assert.deepEqual(await readBack(flags), after);
});

test("rotate() runs once at a time, so that no key is made which nothing is encrypted with", async (t) => {
  const folder = temporaryFolder(t);
  const { store, encryption } = await openAs({ data: folder });
  const both = await Promise.allSettled([encryption.rotate(() => undefined), encryption.rotate(() => undefined)]);
  assert.deepEqual(
    both.map(({ status }) => status),
    ["fulfilled", "rejected"],
  );
  await store[Symbol.asyncDispose]();
  await openAs({ data: folder }).then((opened) => opened.store[Symbol.asyncDispose]());
});

test("keys of the environment are read from it, and neither warnings nor errors repeat a key", async (t) => {
  const folder = temporaryFolder(t);
  const [key, wrong] = [newKey(), "not-a-key-but-still-secret"];
  const { use } = await written({ data: folder }, { HEDDLE_ENCRYPTION_KEY: key });
  assert.equal(use, "environment");
  const file = keyFile(t, key);
  chmodSync(file, 0o644);
  const lines: string[] = [];
  await readBack(
    { data: folder, "encryption-key-file": file },
    {},
    textLog(0, (line) => lines.push(line)),
  );
  assert.match(lines.join("\n"), /everybody on this machine may read the encryption key/);
  await assert.rejects(openAs({ data: folder }, { HEDDLE_ENCRYPTION_KEY: wrong }), (error: Error) => {
    assert.match(error.message, /^Cannot use the encryption key of HEDDLE_ENCRYPTION_KEY: .*openssl rand -base64 32/);
    assert.doesNotMatch(error.message, new RegExp(wrong));
    return true;
  });
  assert.doesNotMatch(lines.join("\n"), new RegExp(key.slice(0, 20).replaceAll(/[+/]/g, ".")));
});

test("the configuration names a key that is chosen and not given, and Secrets as a way to Vault", () => {
  const vault = { address: "https://vault:8200", key: "k", auth: { token: { secret: "s" } } };
  const parsed = loadConfig({ env: { HEDDLE_ENCRYPTION_VAULT: JSON.stringify(vault) }, flags: {} });
  assert.deepEqual(parsed.ok ? [] : parsed.violations.map(({ field }) => field), [
    "HEDDLE_ENCRYPTION_VAULT.auth.token.secret",
  ]);
});

test("openStoreFile() says what is missing for a key that is chosen", async (t) => {
  await assert.rejects(openAs({ data: temporaryFolder(t), "encryption-use": "file" }), {
    message: "Cannot encrypt the store by file: no such key is given; set --encryption-key-file",
  });
});

type Flags = Readonly<Record<string, string>>;
const quiet = textLog(100, () => undefined);

async function openAs(flags: Flags, env: Flags = {}, log: Log = quiet): Promise<OpenStore> {
  return await openStoreFile(configOf(flags, env), log, signal);
}

function configOf(flags: Flags, env: Flags): Config {
  const config = loadConfig({ env, flags });
  assert.ok(config.ok, JSON.stringify(config));
  return config.value;
}

async function written(flags: Flags, env: Flags = {}): Promise<EncryptionState> {
  const { store, encryption } = await openAs(flags, env);
  await store.create(SECRET);
  await store[Symbol.asyncDispose]();
  return encryption.state();
}

async function readBack(flags: Flags, env: Flags = {}, log: Log = quiet): Promise<EncryptionState> {
  const { store, encryption } = await openAs(flags, env, log);
  assert.deepEqual((await store.get(SECRET))?.spec, SECRET.spec);
  await store[Symbol.asyncDispose]();
  return encryption.state();
}

async function rotated(flags: Flags): Promise<EncryptionState> {
  const { store, encryption } = await openAs(flags);
  const state = await encryption.rotate(() => undefined);
  await store[Symbol.asyncDispose]();
  return state;
}

function newKey(): string {
  return randomBytes(32).toString("base64");
}

function keyFile(t: TestContext, key: string): string {
  const file = join(temporaryFolder(t), "key");
  writeFileSync(file, key, { mode: 0o600 });
  return file;
}

function keyIdsOf(folder: string): readonly unknown[] {
  using db = new DatabaseSync(join(folder, "store.sqlite"));
  return db
    .prepare("SELECT key_id FROM data_keys")
    .all()
    .map((row) => row["key_id"]);
}

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "heddle-encryption-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
