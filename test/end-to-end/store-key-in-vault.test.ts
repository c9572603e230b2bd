import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { loadConfig } from "@heddle/control-plane/config.ts";
import { type OpenStore, openStoreFile } from "@heddle/control-plane/encryption/open-store.ts";
import { textLog } from "@heddle/control-plane/log.ts";
import { startOpenBao } from "../support/openbao.ts";

const SECRET = { type: "GlobalSecret", mesh: "", name: "s", labels: {}, spec: { data: "c2VjcmV0" } };
const POLICY = `path "transit/encrypt/store" { capabilities = ["update"] }
path "transit/decrypt/store" { capabilities = ["update"] }`;

test("a key of Vault's transit engine protects the store: needed at starts and rotations only, waited for without a storm", async (t) => {
  const bao = await startOpenBao(t);
  await bao.call("POST", "sys/mounts/transit", { type: "transit" });
  await bao.call("POST", "transit/keys/store", {});
  await bao.call("PUT", "sys/policies/acl/store", { policy: POLICY });
  const { auth } = await bao.call("POST", "auth/token/create", { policies: ["store"], ttl: "1h" });
  const token = auth?.client_token ?? "";
  const folder = mkdtempSync(join(tmpdir(), "heddle-vault-key-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const lines: string[] = [];
  const open = async (inlineString = token, signal = AbortSignal.timeout(20_000)): Promise<OpenStore> => {
    const vault = { address: bao.address, key: "store", auth: { token: { inlineString } } };
    const config = loadConfig({ env: { HEDDLE_ENCRYPTION_VAULT: JSON.stringify(vault) }, flags: { data: folder } });
    assert.ok(config.ok);
    return await openStoreFile(
      config.value,
      textLog(0, (line) => lines.push(line)),
      signal,
    );
  };

  const first = await open();
  await first.store.create(SECRET);
  await bao.seal();
  // Vault is not asked any more: reads and writes go on.
  const stored = await first.store.get(SECRET);
  await first.store.update({ ...SECRET, labels: { a: "b" } }, stored?.version ?? 0);
  await assert.rejects(
    first.encryption.rotate(() => undefined),
    /Vault is sealed; unseal it/,
  );
  await first.store[Symbol.asyncDispose]();

  const began = performance.now();
  const waiting = open();
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await bao.unseal();
  const second = await waiting;
  assert.deepEqual((await second.store.get(SECRET))?.spec, SECRET.spec);
  assert.ok(performance.now() - began > 1_000);
  const told = lines.filter((line) => line.includes("waits for its key"));
  assert.equal(told.length, 1, told.join("\n"));
  assert.match(told[0] ?? "", /Vault is sealed; unseal it/);

  // A new version of the key in Vault: the data key is encrypted with it, older versions may go.
  await bao.call("POST", "transit/keys/store/rotate", {});
  const { keyId } = await second.encryption.rotate(() => undefined);
  assert.equal(keyId, "vault:transit/store");
  await second.store[Symbol.asyncDispose]();
  await bao.call("POST", "transit/keys/store/config", { min_decryption_version: 2 });
  const third = await open();
  assert.deepEqual((await third.store.get(SECRET))?.spec, SECRET.spec);
  await third.store[Symbol.asyncDispose]();

  await assert.rejects(open("wrong-token-of-the-test"), (error: Error) => {
    assert.match(error.message, /^Cannot open store ".*": Vault denies/);
    assert.doesNotMatch(error.message, /wrong-token-of-the-test/);
    return true;
  });
  assert.doesNotMatch(lines.join("\n"), new RegExp(token));
  await bao.seal();
  const stop = new AbortController();
  const waits = assert.rejects(open(token, stop.signal), /abort/i);
  stop.abort();
  await waits;
});
