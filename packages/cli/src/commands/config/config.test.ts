import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { startFake } from "../../testkit/fake-control-plane.ts";
import { folderWith } from "../../testkit/run-heddle.ts";
import { runHere } from "../../testkit/run-line.ts";

test("config control-planes add, list, switch and remove keep profiles that other commands use", async () => {
  await using fake = await startFake({ "GET /meshes": { body: { total: 0, items: [] } } });
  await using folder = await folderWith({});
  const file = join(folder.path, "config");
  const heddle = (...words: readonly string[]) => runHere([...words, "--config-file", file]);
  const add = (name: string, address: string, ...more: readonly string[]) =>
    heddle("config", "control-planes", "add", "--name", name, "--address", address, ...more);

  const login = ["--auth-type", "tokens", "--auth-conf", "token=sesame"];
  assert.match((await add("prod", fake.address, ...login)).stdout, /Added control plane "prod" \(Heddle 0\.1\.0\)/);
  assert.equal(fake.calls.at(-1)?.headers.authorization, "Bearer sesame");
  assert.equal((await add("far", "http://127.0.0.1:1")).code, 1);
  assert.equal((await add("far", "http://127.0.0.1:1", "--skip-check")).code, 0);
  assert.match(
    (await add("far", "http://127.0.0.1:2", "--skip-check")).stderr,
    /there is one of this name\n.*--overwrite/,
  );

  assert.match(
    (await heddle("config", "control-planes", "list")).stdout,
    /^ +prod +http.* token\n\* +far +http.* none$/m,
  );
  assert.equal((await heddle("get", "meshes")).code, 1);
  assert.equal((await heddle("get", "meshes", "--context", "prod")).code, 0);
  assert.equal((await heddle("config", "control-planes", "switch", "--name", "prod")).code, 0);
  assert.equal((await heddle("get", "meshes")).code, 0);
  assert.equal(fake.calls.at(-1)?.headers.authorization, "Bearer sesame");

  const view = await heddle("config", "view");
  assert.match(view.stdout, /token: "?\*\*\*/);
  assert.doesNotMatch(view.stdout, /sesame/);
  assert.equal((await heddle("config", "control-planes", "remove", "--name", "prod")).code, 0);
  assert.match((await heddle("config", "control-planes", "switch", "--name", "prod")).stderr, /known: far/);
  assert.doesNotMatch(await readFile(file, "utf8"), /sesame/);
});

test("config control-planes add refuses what is no control plane, and half of a login", async () => {
  await using site = await startFake({ "GET /": { body: { hello: "world" } } });
  await using folder = await folderWith({});
  const add = (...words: readonly string[]) =>
    runHere(["config", "control-planes", "add", "--config-file", join(folder.path, "c"), "--name", "x", ...words]);
  const stranger = await add("--address", site.address);
  assert.deepEqual([stranger.code, /is no control plane/.test(stranger.stderr)], [1, true]);
  assert.equal((await add("--address", site.address, "--auth-conf", "token=t")).code, 2);
  assert.equal((await add("--address", "localhost:5681")).code, 2);
  assert.equal((await add("--address", site.address, "--client-cert-file", "a.pem")).code, 2);
});
