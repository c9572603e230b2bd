import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { test } from "node:test";
import { openStoreFile } from "@heddle/control-plane/encryption/open-store.ts";
import { loadConfig } from "@heddle/control-plane/config/load-config.ts";
import { textLog } from "@heddle/control-plane/log.ts";
import { startFake } from "../../testkit/fake-control-plane.ts";
import { folderWith, runHeddle } from "../../testkit/run-heddle.ts";
import { runHere } from "../../testkit/run-line.ts";

const ROTATE = "POST /encryption-key/rotate";
const STEP = { keyId: "aes-1", use: "file", place: 'file "/etc/key"', rows: { done: 5, total: 9 } };
const ONLINE = ["rotate", "encryption-key", "--control-plane"];
const OFFLINE = ["rotate", "encryption-key", "--offline", "--data"];

test("rotate encryption-key waits for the control plane and names the key in force, as JSON too", async () => {
  const lines = [[0, STEP] as const, [1, { ...STEP, keyId: "aes-2", done: true }] as const];
  await using fake = await startFake({ [ROTATE]: { lines } });
  const { code, stdout, stderr } = await runHere([...ONLINE, fake.address]);
  const said = 'Everything in the store is encrypted anew; key aes-2 of file "/etc/key" protects it\n';
  assert.deepEqual([code, stdout, stderr], [0, said, ""]);
  const asJson = await runHere([...ONLINE, fake.address, "-o", "json"]);
  assert.deepEqual(JSON.parse(asJson.stdout), { keyId: "aes-2", place: 'file "/etc/key"' });
});

test("rotate encryption-key fails when the answer ends early, and when another rotation is under way", async () => {
  const busy = { title: "Could not rotate the encryption key", detail: "that is under way; wait for it" };
  await using fake = await startFake({ [ROTATE]: { lines: [[0, STEP]] } });
  await using other = await startFake({ [ROTATE]: { status: 409, body: busy } });
  const early = await runHere([...ONLINE, fake.address]);
  assert.deepEqual([early.code, early.stdout], [1, ""]);
  assert.match(early.stderr, /Cannot tell whether the encryption key was rotated[^]*-> .* next start/);
  const refused = await runHere([...ONLINE, other.address]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /under way; wait for it\n {2}-> Ask again when it is over/);
});

test("rotate encryption-key: Ctrl-C stops the waiting only, and says so", async () => {
  await using fake = await startFake({
    [ROTATE]: {
      lines: [
        [0, STEP],
        [60_000, undefined],
      ],
    },
  });
  const stopWhen = (): boolean => fake.calls.some(({ path }) => path.endsWith("/rotate"));
  const { code, stderr } = await runHeddle([...ONLINE, fake.address, "--log-level", "debug"], { stopWhen });
  assert.equal(code, 130, stderr);
  assert.match(stderr, /Stopped waiting; the control plane encrypts the store to the end/);
});

test("rotate encryption-key refuses settings of the store without --offline", async () => {
  for (const words of [
    ["--encryption-use", "file"],
    ["--data", ".heddle"],
    ["--settings", "conf.yaml"],
  ]) {
    const { code, stdout, stderr } = await runHere(["rotate", "encryption-key", ...words]);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /without --offline/);
  }
});

test("rotate encryption-key --offline gives a store another key, and what was in it can be read with that", async () => {
  await using folder = await folderWith({});
  const first = await openedWith({ data: folder.path }, true);
  const { code, stdout, stderr } = await runHere([...OFFLINE, folder.path]);
  assert.equal(code, 0, stderr);
  const second = await openedWith({ data: folder.path }, false);
  assert.notEqual(second, first);
  assert.match(stdout, new RegExp(`key ${second} of file ".*encryption.key" protects it`));
});

test("rotate encryption-key --offline makes no store where none is, and leaves one alone that is in use", async () => {
  await using folder = await folderWith({});
  const missing = await runHere([...OFFLINE, join(folder.path, "elsewhere")]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /there is no store ".*elsewhere\/store.sqlite"; name its folder with --data/);
  await using _running = (await openedFrom({ data: folder.path })).store;
  const inUse = await runHere([...OFFLINE, folder.path]);
  assert.deepEqual([inUse.code, inUse.stdout], [1, ""]);
  assert.match(inUse.stderr, /process \d+ on .* has it open; stop that one/);
});

test("rotate encryption-key --offline with a wrong key says which one it needs and shows none", async () => {
  const [right, wrong] = [randomBytes(32).toString("base64"), randomBytes(32).toString("base64")];
  await using folder = await folderWith({ right, wrong });
  const flags = { data: join(folder.path, "data"), "encryption-key-file": join(folder.path, "right") };
  const keyId = await openedWith(flags, true);
  const { code, stderr } = await runHere([...OFFLINE, flags.data, "--encryption-key-file", join(folder.path, "wrong")]);
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`it is encrypted with key "${keyId}"[^]*--encryption-key-file`));
  assert.ok(!stderr.includes(right) && !stderr.includes(wrong));
});

const SECRET = { type: "GlobalSecret", mesh: "", name: "s", labels: {}, spec: { data: "c2VjcmV0" } };

/** Opens a store, writes or reads a secret, closes it, and tells the key that protects it. */
async function openedWith(flags: Readonly<Record<string, string>>, writes: boolean): Promise<string> {
  const { store, encryption } = await openedFrom(flags);
  await using _store = store;
  if (writes) await store.create(SECRET);
  assert.deepEqual((await store.get(SECRET))?.spec, SECRET.spec);
  return encryption.state().keyId;
}

async function openedFrom(flags: Readonly<Record<string, string>>): ReturnType<typeof openStoreFile> {
  const config = loadConfig({ env: {}, flags });
  assert.ok(config.ok);
  return await openStoreFile(
    config.value,
    textLog(100, () => undefined),
    new AbortController().signal,
  );
}
