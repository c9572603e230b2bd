import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { GOOD } from "../testkit/certificates.ts";
import { startDp } from "../testkit/dp-process.ts";
import { testBootstrap } from "../testkit/test-bootstrap.ts";
import { startTestControlPlane } from "../testkit/test-control-plane.ts";

const ENV = { HEDDLE_CONTROL_PLANE_CA_CERT: GOOD.certificate, HEDDLE_DATAPLANE_SUPERVISOR: "shell" };

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "heddle-dp-shell-"));
  // Also for what a supervisor leaves that a test has killed.
  process.env["TMPDIR"] = folder;
});
after(() => rm(folder, { recursive: true }));

/** Largest resident set of the supervisor, in kB: a shell takes 1,600 to 3,500 depending on which one it is. */
const MAX_SUPERVISOR_KB = 4_000;
/** Of the whole sidecar without any configuration from a control plane. */
const MAX_SIDECAR_KB = 85_000;

describe("the shell supervisor", { concurrency: 2, timeout: 120_000 }, () => {
  test("costs next to nothing beside Envoy", async () => {
    await using cp = await startTestControlPlane(({ body }) => testBootstrap(body["workdir"]));
    await using dp = startDp({ name: "x", cpAddress: cp.url }, ENV);
    await dp.line(/Ready/);
    await sleep(500);
    const supervisor = await residentKb(dp.pid);
    const sidecar = supervisor + (await residentKb(await dp.envoyPid()));
    assert.ok(supervisor < MAX_SUPERVISOR_KB, `the supervisor takes ${supervisor} kB`);
    assert.ok(sidecar < MAX_SIDECAR_KB, `the sidecar takes ${sidecar} kB`);
  });

  test("writes every line, Envoy's and its own, as JSON when asked to", async () => {
    await using cp = await startTestControlPlane(({ body }) => testBootstrap(body["workdir"]));
    await using dp = startDp({ name: "x", cpAddress: cp.url, logFormat: "json", envoyLogLevel: "info" }, ENV);
    await dp.line(/Ready/);
    process.kill(await dp.envoyPid(), "SIGKILL");
    await dp.line(/SIGKILL/);
    dp.signal("SIGTERM");
    assert.equal(await dp.exit, 0);
    const lines = dp.lines().map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.ok(lines.every((line) => typeof line["message"] === "string" && Date.parse(String(line["time"])) > 0));
    assert.ok(lines.some((line) => line["component"] === "envoy.main"));
    assert.ok(lines.some((line) => line["component"] === "heddle" && /status 137/.test(String(line["message"]))));
  });

  test("takes Envoy with it when it is killed itself", { skip: withoutSetpriv() }, async () => {
    await using cp = await startTestControlPlane(({ body }) => testBootstrap(body["workdir"]));
    await using dp = startDp({ name: "x", cpAddress: cp.url }, ENV);
    await dp.line(/Ready/);
    const envoy = await dp.envoyPid();
    dp.signal("SIGKILL");
    await dp.exit;
    const deadline = performance.now() + 5_000;
    while (await isRunning(envoy)) {
      assert.ok(performance.now() < deadline, "Envoy is still there");
      await sleep(20);
    }
  });

  test("keeps what is not its own in a work directory that was given", async (t) => {
    const workDir = await mkdtemp(join(tmpdir(), "heddle-dp-given-"));
    t.after(() => rm(workDir, { recursive: true }));
    execFileSync("touch", [join(workDir, "mine")]);
    await using cp = await startTestControlPlane(({ body }) => testBootstrap(body["workdir"]));
    await using dp = startDp({ name: "x", cpAddress: cp.url, workDir }, ENV);
    await dp.line(/Ready/);
    await using second = startDp({ name: "y", cpAddress: cp.url, workDir }, ENV);
    await second.line(/Cannot use work directory ".*": another proxy works there/);
    assert.equal(await second.exit, 1);
    dp.signal("SIGTERM");
    assert.equal(await dp.exit, 0);
    assert.deepEqual(await readdir(workDir), ["mine"]);
  });

  test("leaves pipes in the blocking mode that Envoy expects", async () => {
    await using cp = await startTestControlPlane(({ body }) => testBootstrap(body["workdir"]));
    const main = fileURLToPath(new URL("../testkit/dp-main.ts", import.meta.url));
    // A shell's pipe, because Node gives its own children sockets.
    const pipeline = `"$0" "$1" "$2" 2>&1 | while read -r line; do echo "$line"; done`;
    const shell = spawn(
      "/bin/sh",
      ["-c", pipeline, process.execPath, main, JSON.stringify({ name: "x", cpAddress: cp.url })],
      {
        stdio: ["ignore", "pipe", "inherit"],
        env: { ...process.env, ...ENV },
      },
    );
    let said = "";
    shell.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    while (!said.includes("Ready")) await sleep(20);
    const [supervisor = ""] = execFileSync("pgrep", ["-P", String(shell.pid), "-f", "supervise.sh"], {
      encoding: "utf8",
    }).split("\n");
    const flags = /flags:\s*([0-7]+)/.exec(await readFile(`/proc/${supervisor}/fdinfo/2`, "utf8"))?.[1] ?? "";
    process.kill(Number(supervisor), "SIGTERM");
    await new Promise((resolve) => shell.once("exit", resolve));
    assert.equal(Number.parseInt(flags, 8) & O_NONBLOCK, 0);
  });

  test("ends Envoy when nobody reads any more what it says, as after kill -9 of whoever started it", async (t) => {
    await using cp = await startTestControlPlane(({ body }) => testBootstrap(body["workdir"]));
    const main = fileURLToPath(new URL("../testkit/dp-main.ts", import.meta.url));
    const child = spawn(process.execPath, [main, JSON.stringify({ name: "x", cpAddress: cp.url })], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...ENV },
    });
    t.after(() => child.kill("SIGKILL"));
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
    while (!said.includes("Ready")) await sleep(20);
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.stdout.destroy();
    child.stderr.destroy();
    child.kill("SIGTERM");
    assert.equal(await Promise.race([ended, sleep(10_000, "Envoy and its supervisor are still there")]), 0);
  });

  test("drains as process 1 of a container", { skip: withoutNamespaces() }, async () => {
    await using cp = await startTestControlPlane(({ body }) => testBootstrap(body["workdir"]));
    const main = fileURLToPath(new URL("../testkit/dp-main.ts", import.meta.url));
    const words = [
      "--pid",
      "--fork",
      "--mount-proc",
      process.execPath,
      main,
      JSON.stringify({ name: "x", cpAddress: cp.url }),
    ];
    const container = spawn("unshare", words, { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, ...ENV } });
    let said = "";
    container.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    while (!said.includes("Ready")) await sleep(20);
    const first = Number(execFileSync("pgrep", ["-P", String(container.pid)], { encoding: "utf8" }));
    process.kill(first, "SIGTERM");
    const code = await new Promise((resolve) => container.once("exit", resolve));
    assert.equal(code, 0);
    assert.match(said, /nothing was cut off/);
  });
});

const O_NONBLOCK = 0o4000;

async function residentKb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]);
}

/** Whether a process still does something: one that nobody has buried yet does not. */
async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat !== "" && !/\) Z /.test(stat);
}

function withoutSetpriv(): string | false {
  return runs("setpriv", ["--pdeathsig", "TERM", "true"]) ? false : "this machine has no setpriv";
}

function withoutNamespaces(): string | false {
  return runs("unshare", ["--pid", "--fork", "--mount-proc", "true"]) ? false : "this user may not make namespaces";
}

function runs(program: string, words: readonly string[]): boolean {
  try {
    execFileSync(program, words, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
