import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";

// A clone in small: the real shell scripts, a set-up that only says that it ran, and a command line that tells its id.
const clone = await mkdtemp(join(tmpdir(), "clone-"));
after(() => rm(clone, { recursive: true }));
const repository = join(import.meta.dirname, "..");

await put(
  "packages/cli/src/main.ts",
  "console.log(JSON.stringify({ pid: process.pid, args: process.argv.slice(2) }));",
);
await put("packages/envoy/gen/registry.js", "");
await put("packages/envoy/protos.txt", "");
await put("package-lock.json", "{}");
await put("scripts/setup/main.mjs", 'console.error("set up"); process.exitCode = Number(process.env.SETUP_EXIT ?? 0);');
for (const script of ["bin/heddle", "scripts/ensure.sh"]) {
  await put(script, "");
  await copyFile(join(repository, script), join(clone, script));
  await chmod(join(clone, script), 0o755);
}
await mkdir(join(clone, ".tools/node"), { recursive: true });
await symlink(process.execPath, join(clone, ".tools/node/node"));
await put(".tools/ready", "");

async function put(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(clone, path)), { recursive: true });
  await writeFile(join(clone, path), content);
}

interface Ended {
  readonly pid: number | undefined;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function start(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = "/"): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd, env: { PATH: process.env["PATH"], HEDDLE_ENVOY: "/bin/true", ...env } };
    const child = execFile(program, [...args], options, (error, stdout, stderr) =>
      resolve({ pid: child.pid, code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

/** Makes a file of the clone newer or older than the stamp. */
async function dateFile(path: string, secondsAfterStamp: number): Promise<void> {
  const stamp = new Date("2026-01-01T00:00:00Z");
  await utimes(join(clone, ".tools/ready"), stamp, stamp);
  const date = new Date(stamp.getTime() + secondsAfterStamp * 1_000);
  await utimes(join(clone, path), date, date);
}

for (const input of ["package-lock.json", "packages/envoy/protos.txt", "scripts/setup/main.mjs"]) {
  await dateFile(input, -60);
}

test("bin/heddle becomes the command line: same process, same arguments, nothing else said", async () => {
  const { pid, stdout, stderr } = await start(join(clone, "bin/heddle"), ["get", "a b", ""]);
  assert.deepEqual(JSON.parse(stdout), { pid, args: ["get", "a b", ""] });
  assert.equal(stderr, "");
});

test("bin/heddle finds its clone through links, relative ones too, and from its own folder", async () => {
  await symlink(join(clone, "bin/heddle"), join(clone, "absolute"));
  await symlink("./absolute", join(clone, "relative"));
  const linked = await start(join(clone, "relative"), ["version"]);
  assert.deepEqual(JSON.parse(linked.stdout).args, ["version"]);
  const inside = await start("/bin/sh", ["heddle", "version"], {}, join(clone, "bin"));
  assert.deepEqual(JSON.parse(inside.stdout).args, ["version"]);
});

for (const input of ["package-lock.json", "packages/envoy/protos.txt", "scripts/setup/main.mjs"]) {
  test(`bin/heddle sets up again when ${input} is newer than the last set-up`, async () => {
    await dateFile(input, 60);
    const { stdout, stderr } = await start(join(clone, "bin/heddle"), ["version"]);
    await dateFile(input, -60);
    assert.equal(stderr, "set up\n");
    assert.deepEqual(JSON.parse(stdout).args, ["version"]);
  });
}

test("bin/heddle sets up when there is no Envoy at all", async () => {
  const path = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, HEDDLE_ENVOY: "" };
  const { stderr } = await start(join(clone, "bin/heddle"), ["version"], path);
  assert.equal(stderr, "set up\n");
});

test("bin/heddle runs nothing when set-up fails", async () => {
  await dateFile("package-lock.json", 60);
  const { code, stdout } = await start(join(clone, "bin/heddle"), ["version"], { SETUP_EXIT: "1" });
  await dateFile("package-lock.json", -60);
  assert.deepEqual({ code, stdout }, { code: 1, stdout: "" });
});

test("bin/heddle says what to install when there is no Node, or one that is too old", async () => {
  await dateFile("package-lock.json", 60);
  await put("old/node", "#!/bin/sh\necho 18\n");
  await chmod(join(clone, "old/node"), 0o755);
  const none = await start("/bin/sh", [join(clone, "bin/heddle")], { PATH: "/nowhere" });
  const old = await start("/bin/sh", [join(clone, "bin/heddle")], { PATH: `${clone}/old:/usr/bin:/bin` });
  await dateFile("package-lock.json", -60);
  assert.match(none.stderr, /^heddle: Cannot set up: node is not on PATH\n {2}Install Node 20 or newer/);
  assert.match(old.stderr, /^heddle: Cannot set up: this is Node 18, and 20 is the oldest that will do\n {2}Install/);
  assert.deepEqual([none.code, old.code], [1, 1]);
});
