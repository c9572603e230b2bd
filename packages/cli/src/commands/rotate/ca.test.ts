import assert from "node:assert/strict";
import { test } from "node:test";
import { startFake } from "../../testkit/fake-control-plane.ts";
import { runHeddle } from "../../testkit/run-heddle.ts";
import { runHere } from "../../testkit/run-line.ts";

const reach = (reached: number, ...waiting: string[]): object => ({
  proxies: 2,
  reached,
  waitingFor: waiting.map((name) => ({ name, reason: "has not acknowledged it" })),
});

const TRUSTING = {
  id: "1",
  mesh: "default",
  rotated: { what: "root", backend: "ca-1" },
  phase: "trusting",
  startedAt: "2026-01-02T03:04:05.000Z",
  startedBy: "jane",
  trust: reach(1, "web-1"),
  certificates: reach(0, "web-1", "web-2"),
  old: { roots: ["aa"], holders: 2, isRemoved: false },
  new: { roots: ["bb"], pem: "PEM" },
  removeOld: false,
  done: false,
};
const THROUGH = {
  ...TRUSTING,
  phase: "withdrawing",
  trust: reach(2),
  certificates: reach(2),
  old: { roots: ["aa"], holders: 0, trustedUntil: "2026-01-03T03:04:05.000Z", isRemoved: false },
  done: true,
};
const START = "POST /meshes/default/ca-rotations";
const PROGRESS = "GET /meshes/default/ca-rotations/current/progress";

test("rotate ca begins a rotation, waits, and says until when the old root is trusted", async () => {
  await using fake = await startFake({
    [START]: { body: TRUSTING },
    [PROGRESS]: {
      lines: [
        [0, TRUSTING],
        [1, THROUGH],
      ],
    },
  });
  const { code, stdout, stderr } = await runHere(["rotate", "ca", "--control-plane", fake.address]);
  assert.equal(code, 0, stderr);
  assert.equal(
    stdout,
    `New root of "ca-1" in mesh "default", asked for by jane at 2026-01-02T03:04:05.000Z
  new root      sha256 bb
  trust         done 2/2 proxies acknowledged it
  certificates  done 2/2 proxies have a new one
  old           trusted until 2026-01-03T03:04:05.000Z; 0 certificates of it left
`,
  );
  assert.deepEqual(fake.calls.find(({ method }) => method === "POST")?.body, { removeOld: false });
});

test("rotate ca --to asks for another backend, and one that times out names who holds it up and fails", async () => {
  const late = { ...TRUSTING, rotated: { what: "backend", from: "ca-1", to: "vault-1" }, timedOut: true };
  await using fake = await startFake({ [START]: { body: TRUSTING }, [PROGRESS]: { lines: [[0, late]] } });
  const words = ["rotate", "ca", "--to", "vault-1", "--remove-old", "--timeout", "1s", "--control-plane", fake.address];
  const { code, stdout } = await runHere(words);
  assert.equal(code, 1);
  assert.match(stdout, /^From "ca-1" to "vault-1" in mesh "default"/);
  assert.match(stdout, /trust +\.\.\.\. 1\/2 proxies acknowledged it\n +web-1: has not acknowledged it/);
  assert.deepEqual(fake.calls.find(({ method }) => method === "POST")?.body, { to: "vault-1", removeOld: true });
});

test("rotate ca --status only looks, as JSON too", async () => {
  await using fake = await startFake({ "GET /meshes/default/ca-rotations/current": { body: THROUGH } });
  const words = ["rotate", "ca", "--status", "--identity", "all", "-o", "json", "--control-plane", fake.address];
  const { code, stdout } = await runHere(words);
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(stdout), THROUGH);
  assert.equal(fake.calls.find(({ path }) => path.endsWith("/current"))?.query.get("identity"), "all");
  assert.ok(fake.calls.every(({ method }) => method === "GET"));
});

test("rotate ca: Ctrl-C leaves the rotation going and says so", async () => {
  await using fake = await startFake({
    [START]: { body: TRUSTING },
    [PROGRESS]: {
      lines: [
        [0, TRUSTING],
        [60_000, undefined],
      ],
    },
  });
  const stopWhen = (): boolean => fake.calls.some(({ path }) => path.endsWith("/progress"));
  const words = ["rotate", "ca", "--log-level", "debug", "--control-plane", fake.address];
  const { code, stderr } = await runHeddle(words, { stopWhen });
  assert.equal(code, 130, stderr);
  assert.match(stderr, /Stopped waiting; the rotation goes on\n[^]*heddle rotate ca --status/);
});

test("rotate ca --to with --identity is wrong usage", async () => {
  assert.equal((await runHere(["rotate", "ca", "--to", "x", "--identity", "y"])).code, 2);
});
