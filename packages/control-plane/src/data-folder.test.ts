import assert from "node:assert/strict";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makeDataFolder } from "./data-folder.ts";

test("makeDataFolder() makes a folder and its parents, for this user alone, and takes one that is there", async (t) => {
  const root = await mkdtemp(join(tmpdir(), "heddle-data-"));
  t.after(() => rm(root, { recursive: true }));
  const folder = join(root, "a", "b");
  await makeDataFolder(folder);
  await makeDataFolder(`${folder}/`);
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
  const file = join(root, "file");
  await writeFile(file, "");
  await assert.rejects(makeDataFolder(file), /Cannot use the data folder ".*file": it is a file; choose another one/);
  await assert.rejects(makeDataFolder(join(file, "x")), /a file is where one of its parents should be/);
});

test("makeDataFolder() says so where no folder can be made, instead of trying for ever", async () => {
  await assert.rejects(
    makeDataFolder("/proc/x"),
    /Cannot use the data folder "\/proc\/x": no folder can be made there/,
  );
  await assert.rejects(makeDataFolder("/proc/x/y"), /no folder can be made there/);
});
