import assert from "node:assert/strict";
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { folderWith } from "../testkit/run-heddle.ts";
import { readProfiles, writeProfiles } from "./profile-file.ts";

test("writeProfiles() makes folder and file readable by their owner alone", async () => {
  await using folder = await folderWith({});
  const path = join(folder.path, "new", "config");
  await writeProfiles(path, { profiles: [{ name: "a", address: "http://x", token: "t" }], current: "a" });
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal((await stat(join(folder.path, "new"))).mode & 0o777, 0o700);
  assert.equal((await readProfiles(path)).current, "a");
});

test("writeProfiles() takes the rights of others away from a file that is there", async () => {
  await using folder = await folderWith({});
  const path = join(folder.path, "config");
  await writeFile(path, "", { mode: 0o644 });
  await writeProfiles(path, { profiles: [], current: undefined });
  assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test("readProfiles() takes a missing file for one without profiles", async () => {
  assert.deepEqual(await readProfiles("/nonexistent/config"), { profiles: [], current: undefined });
});

test("readProfiles() says which file is no YAML, and what to do", async () => {
  await using folder = await folderWith({ config: "a: [" });
  await assert.rejects(readProfiles(join(folder.path, "config")), {
    message: /config": it is not YAML$/,
    next: ["Correct the file, name another one with --config-file, or leave it out with --no-config"],
  });
});
