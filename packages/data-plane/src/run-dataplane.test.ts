import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { adminClient } from "./envoy/admin-client.ts";
import { GOOD } from "./testkit/certificates.ts";
import { type DpProcess, startDp } from "./testkit/dp-process.ts";
import { freePort } from "./testkit/free-port.ts";
import { fetchPath, startApplication } from "./testkit/test-application.ts";
import { testBootstrap } from "./testkit/test-bootstrap.ts";
import { startTestControlPlane } from "./testkit/test-control-plane.ts";

let folder = "";
let caCertFile = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "heddle-dp-test-"));
  // Also for what a launcher leaves that a test has killed.
  process.env["TMPDIR"] = folder;
  caCertFile = join(folder, "ca.pem");
  await writeFile(caCertFile, GOOD.certificate);
});
after(() => rm(folder, { recursive: true }));

/** A temporary folder of its own, so that a test sees what is left behind in it. */
async function ownTemporary(): Promise<string> {
  return mkdtemp(join(folder, "t"));
}

for (const supervisor of ["shell", "node"] as const) {
  describe(`runDataplane() with the ${supervisor} supervisor`, { concurrency: 2, timeout: 120_000 }, () => {
    test("starts Envoy with what the control plane gave, and leaves nothing behind", async () => {
      const TMPDIR = await ownTemporary();
      await using cp = await startTestControlPlane(({ body }) => testBootstrap(body["workdir"]));
      await using dp = startDp(
        { name: "backend-1", mesh: "demo", cpAddress: cp.url, caCertFile },
        { TMPDIR, HEDDLE_DATAPLANE_SUPERVISOR: supervisor },
      );
      assert.match(await dp.line(/Ready/), /Envoy 1\.\d+\.\d+ serves backend-1 of mesh demo/);
      const [asked] = cp.asked;
      assert.equal(asked?.body["name"], "backend-1");
      assert.equal(asked?.body["mesh"], "demo");
      assert.equal(asked?.body["caCert"], GOOD.certificate);
      const workDir = String(asked?.body["workdir"]);
      assert.equal((await stat(join(workDir, "bootstrap.yaml"))).mode & 0o777, 0o600);
      assert.equal((await stat(workDir)).mode & 0o777, 0o711);
      const envoy = await dp.envoyPid();
      dp.signal("SIGTERM");
      assert.equal(await dp.exit, 0);
      assert.throws(() => process.kill(envoy, 0), { code: "ESRCH" });
      await nobodyLeftIn(dp.pid);
      assert.deepEqual(
        (await readdir(TMPDIR)).filter((name) => name.startsWith("heddle")),
        [],
      );
    });

    test("brings a killed Envoy back within two seconds, even without the control plane", async () => {
      const TMPDIR = await ownTemporary();
      const cp = await startTestControlPlane(({ body }) => testBootstrap(body["workdir"]));
      await using dp = startDp(
        { name: "x", cpAddress: cp.url, caCertFile },
        { TMPDIR, HEDDLE_DATAPLANE_SUPERVISOR: supervisor },
      );
      await dp.line(/Ready/);
      const admin = adminClient({
        kind: "socket",
        path: `${String(cp.asked[0]?.body["workdir"])}/kuma-envoy-admin.sock`,
      });
      await cp[Symbol.asyncDispose]();
      const first = await dp.envoyPid();
      const killedAt = performance.now();
      process.kill(first, "SIGKILL");
      while ((await admin.get("/ready").catch(() => undefined))?.status !== 200) await sleep(20);
      const tookMs = performance.now() - killedAt;
      assert.notEqual(await dp.envoyPid(), first);
      assert.ok(tookMs < 2_000, `it took ${tookMs} ms`);
      await dp.line(/it was killed \(SIGKILL\)/);
      dp.signal("SIGINT");
      assert.equal(await dp.exit, 0);
    });

    test("keeps Envoy's copy of the token the same as the file, however that is written", async () => {
      const token = join(folder, `renewed-${supervisor}`);
      await writeFile(token, `${TOKEN}\n`);
      await using cp = await startTestControlPlane(({ body }) => testBootstrap(body["workdir"]));
      await using dp = startDp(
        { name: "x", cpAddress: cp.url, caCertFile, dataplaneTokenFile: token },
        { HEDDLE_DATAPLANE_SUPERVISOR: supervisor, HEDDLE_DATAPLANE_TOKEN_CHECK_INTERVAL: "1s" },
      );
      await dp.line(/Ready/);
      const body = cp.asked[0]?.body ?? {};
      const copy = join(String(body["workdir"]), "token");
      assert.ok((body["features"] as string[]).includes("feature-heddle-token-secret"));
      assert.equal(await readFile(copy, "utf8"), TOKEN);
      await writeFile(token, "renewed\n");
      const deadline = performance.now() + 8_000;
      while ((await readFile(copy, "utf8")) !== "renewed") {
        assert.ok(performance.now() < deadline, "the copy is old");
        await sleep(50);
      }
      assert.equal((await stat(copy)).mode & 0o777, 0o600);
      dp.signal("SIGTERM");
      assert.equal(await dp.exit, 0);
      await nobodyLeftIn(dp.pid);
    });

    test("lets a running request finish after Ctrl-C in the terminal, and tells the control plane first", async () => {
      const listenPort = await freePort();
      await using application = await startApplication(700);
      await using cp = await startTestControlPlane(({ body }) =>
        testBootstrap(body["workdir"], { listenPort, applicationPort: application.port }),
      );
      cp.answer("/drain", () => "");
      const token = join(folder, `token-${supervisor}`);
      await writeFile(token, TOKEN);
      await using dp = startDp(
        { name: "x", cpAddress: cp.url, caCertFile, dataplaneTokenFile: token },
        { HEDDLE_DATAPLANE_SUPERVISOR: supervisor },
      );
      await dp.line(/Ready/);
      const slow = fetchPath(listenPort, "/slow");
      await Promise.race([application.slowStarted, slow]);
      dp.ctrlC();
      assert.deepEqual(await slow, { status: 200, text: "slow but whole", connection: "close" });
      assert.equal(await dp.exit, 0);
      assert.match(dp.lines().join("\n"), /nothing was cut off/);
      const drain = cp.asked.find(({ path }) => path === "/drain");
      assert.deepEqual([drain?.body, drain?.authorization], [{ mesh: "default", name: "x" }, TOKEN]);
    });

    test("cuts off what is left when the drain time is over, and says so by its exit code", async () => {
      const listenPort = await freePort();
      await using application = await startApplication(20_000);
      await using cp = await startTestControlPlane(({ body }) =>
        testBootstrap(body["workdir"], { listenPort, applicationPort: application.port }),
      );
      await using dp = startDp(
        { name: "x", cpAddress: cp.url, caCertFile, drainTime: "1s" },
        { HEDDLE_DATAPLANE_SUPERVISOR: supervisor },
      );
      await dp.line(/Ready/);
      const slow = assert.rejects(fetchPath(listenPort, "/slow"));
      await Promise.race([application.slowStarted, slow]);
      dp.signal("SIGTERM");
      assert.equal(await dp.exit, 1);
      await slow;
      assert.match(dp.lines().join("\n"), /cutting off 1 requests/);
    });

    test("ends at once on the second Ctrl-C", async () => {
      const TMPDIR = await ownTemporary();
      const listenPort = await freePort();
      await using application = await startApplication(20_000);
      await using cp = await startTestControlPlane(({ body }) =>
        testBootstrap(body["workdir"], { listenPort, applicationPort: application.port }),
      );
      await using dp = startDp(
        { name: "x", cpAddress: cp.url, caCertFile },
        { TMPDIR, HEDDLE_DATAPLANE_SUPERVISOR: supervisor },
      );
      await dp.line(/Ready/);
      const envoy = await dp.envoyPid();
      const slow = assert.rejects(fetchPath(listenPort, "/slow"));
      await Promise.race([application.slowStarted, slow]);
      dp.ctrlC();
      await dp.line(/Leaving/);
      const askedAt = performance.now();
      dp.ctrlC();
      assert.equal(await dp.exit, 130);
      assert.ok(performance.now() - askedAt < 1_000);
      await slow;
      assert.throws(() => process.kill(envoy, 0), { code: "ESRCH" });
      assert.deepEqual(
        (await readdir(TMPDIR)).filter((name) => name.startsWith("heddle")),
        [],
      );
    });

    test("ends when Envoy was asked to quit by its admin interface", async () => {
      await using cp = await startTestControlPlane(({ body }) => testBootstrap(body["workdir"]));
      await using dp = startDp(
        { name: "x", cpAddress: cp.url, caCertFile },
        { HEDDLE_DATAPLANE_SUPERVISOR: supervisor },
      );
      await dp.line(/Ready/);
      const admin = adminClient({
        kind: "socket",
        path: `${String(cp.asked[0]?.body["workdir"])}/kuma-envoy-admin.sock`,
      });
      await admin.post("/quitquitquit");
      assert.equal(await dp.exit, 0);
    });

    test("waits longer and longer for an Envoy that keeps failing, and says why", async () => {
      await using cp = await startTestControlPlane(({ body }) => testBootstrap(body["workdir"]));
      await using dp = startDp(
        { name: "x", cpAddress: cp.url, caCertFile },
        { HEDDLE_DATAPLANE_SUPERVISOR: supervisor },
      );
      await dp.line(/Ready/);
      cp.answer("/bootstrap", ({ body }) => `${testBootstrap(body["workdir"])}noSuchField: 1\n`);
      process.kill(await dp.envoyPid(), "SIGKILL");
      await dp.line(/starting it again in 0 s/);
      await dp.line(/status 1 .* starting it again in [12] s/);
      await dp.line(/refuses its bootstrap: .*noSuchField/);
      await dp.line(/starting it again in 2 s/);
      cp.answer("/bootstrap", ({ body }) => testBootstrap(body["workdir"]));
      await secondOf(/Ready/, dp);
      dp.signal("SIGTERM");
      assert.equal(await dp.exit, 0);
    });

    test("stops an Envoy that has only just started as cleanly and as fast as any other", async () => {
      await using cp = await startTestControlPlane(({ body }) => testBootstrap(body["workdir"]));
      await using dp = startDp(
        { name: "x", cpAddress: cp.url, caCertFile },
        { HEDDLE_DATAPLANE_SUPERVISOR: supervisor },
      );
      await dp.envoyPid();
      const askedAt = performance.now();
      dp.signal("SIGTERM");
      assert.equal(await dp.exit, 0, dp.lines().join("\n"));
      assert.ok(performance.now() - askedAt < 4_000, dp.lines().join("\n"));
    });
  });
}

describe("runDataplane()", { concurrency: 2, timeout: 120_000 }, () => {
  test("brings Envoy back with the newer bootstrap, when the control plane has one", async () => {
    const port = await freePort();
    await using application = await startApplication(0);
    await using cp = await startTestControlPlane(({ body }) => testBootstrap(body["workdir"]));
    await using dp = startDp({ name: "x", cpAddress: cp.url, caCertFile });
    await dp.line(/Ready/);
    cp.answer("/bootstrap", ({ body }) =>
      testBootstrap(body["workdir"], { listenPort: port, applicationPort: application.port }),
    );
    process.kill(await dp.envoyPid(), "SIGKILL");
    await dp.line(/gave a new bootstrap/);
    await dp.line(/Ready.*1 listeners/);
    assert.equal((await fetchPath(port, "/")).text, "quick");
  });

  test("still accepts requests while it drains, for those who have not heard", async () => {
    const listenPort = await freePort();
    await using application = await startApplication(900);
    await using cp = await startTestControlPlane(({ body }) =>
      testBootstrap(body["workdir"], { listenPort, applicationPort: application.port }),
    );
    await using dp = startDp({ name: "x", cpAddress: cp.url, caCertFile });
    await dp.line(/Ready/);
    const slow = fetchPath(listenPort, "/slow");
    await Promise.race([application.slowStarted, slow]);
    dp.signal("SIGTERM");
    await dp.line(/could not take this proxy out/);
    assert.equal((await fetchPath(listenPort, "/")).text, "quick");
    assert.equal((await slow).text, "slow but whole");
    assert.equal(await dp.exit, 0);
  });

  test("stops while it waits to start Envoy again", async () => {
    await using cp = await startTestControlPlane(({ body }) => `${testBootstrap(body["workdir"])}noSuchField: 1\n`);
    await using dp = startDp({ name: "x", cpAddress: cp.url, caCertFile });
    await dp.line(/starting it again in 2 s/);
    dp.ctrlC();
    assert.equal(await dp.exit, 0);
  });
});

/** Waits until a process group is empty; helpers need some milliseconds to notice the end. */
async function nobodyLeftIn(group: number): Promise<void> {
  const deadline = performance.now() + 5_000;
  for (;;) {
    try {
      process.kill(-group, 0);
    } catch {
      return;
    }
    assert.ok(performance.now() < deadline, "processes are left");
    await sleep(50);
  }
}

/** Waits until a launcher has written two lines that match. */
async function secondOf(pattern: RegExp, dp: DpProcess): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (dp.lines().filter((line) => pattern.test(line)).length < 2) {
    assert.ok(performance.now() < deadline, dp.lines().join("\n"));
    await sleep(20);
  }
}

/** A JWT for mesh "default" that does not expire; its signature is not looked at here. */
const TOKEN = ["{}", '{"Mesh":"default"}', "signature"]
  .map((part) => Buffer.from(part).toString("base64url"))
  .join(".");
