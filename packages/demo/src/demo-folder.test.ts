import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { openDemoFolder } from "./demo-folder.ts";

const MODULE = new URL("./demo-folder.ts", import.meta.url).href;

test("openDemoFolder() removes what a killed run left, and nothing of a living one or of others", async (t) => {
  const parent = await mkdtemp(join(tmpdir(), "heddle-test-"));
  t.after(() => rm(parent, { recursive: true }));
  const open = `const { openDemoFolder } = await import(${JSON.stringify(MODULE)});
    console.log(await openDemoFolder(${JSON.stringify(parent)}));`;
  const dead = execFileSync(process.execPath, ["--input-type=module", "-e", open], { encoding: "utf8" }).trim();
  await writeFile(join(dead, "web-1.token"), "secret");
  await mkdir(join(parent, "heddle-demo-nobody"));
  await mkdir(join(parent, "somebody-else"));
  const child = spawn(process.execPath, ["--input-type=module", "-e", `${open} setInterval(() => {}, 1e6);`]);
  t.after(() => child.kill("SIGKILL"));
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const living = line.toString().trim();
  const own = await openDemoFolder(parent);
  const expected = [own, living, "heddle-demo-nobody", "somebody-else"].map((path) => basename(path));
  assert.deepEqual((await readdir(parent)).toSorted(), expected.toSorted());
  child.kill("SIGKILL");
  await once(child, "exit");
  await openDemoFolder(parent);
  assert.ok(!(await readdir(parent)).includes(basename(living)), "what the killed one left is still there");
});

test("openDemoFolder() takes a number that another process has by now for a dead owner", async (t) => {
  const parent = await mkdtemp(join(tmpdir(), "heddle-test-"));
  t.after(() => rm(parent, { recursive: true }));
  const own = await openDemoFolder(parent);
  const [pid, , ...place] = (await readFile(join(own, "owner"), "utf8")).split(" ");
  await writeFile(join(own, "owner"), `${pid} 1 ${place.join(" ")}`);
  await openDemoFolder(parent);
  assert.ok(!(await readdir(parent)).includes(basename(own)));
});

test("openDemoFolder() keeps what somebody on another machine, or in another container, may still use", async (t) => {
  const parent = await mkdtemp(join(tmpdir(), "heddle-test-"));
  t.after(() => rm(parent, { recursive: true }));
  const own = await openDemoFolder(parent);
  await writeFile(join(own, "owner"), "4000000 1 another-boot pid:[1]");
  await openDemoFolder(parent);
  assert.ok((await readdir(parent)).includes(basename(own)));
});
