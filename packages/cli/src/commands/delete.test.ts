import assert from "node:assert/strict";
import { test } from "node:test";
import { startFake, type Script } from "../testkit/fake-control-plane.ts";
import { runInTerminal } from "../testkit/run-heddle.ts";
import { runHere } from "../testkit/run-line.ts";

const deleted = (revision: number) => ({
  headers: { "heddle-outcome": "deleted", "heddle-revision": String(revision) },
});
const ROLLOUT = {
  lines: [[0, { proxies: { affected: 1, acked: 1 }, rejected: [], elapsedMillis: 5, done: true }]] as const,
};
const SCRIPT: Script = {
  "DELETE /meshes/default/meshtimeouts/slow": deleted(5),
  "DELETE /meshes/default/secrets/s": deleted(6),
  "DELETE /meshes/prod": deleted(7),
  "GET /rollouts/5": ROLLOUT,
  "GET /rollouts/7": ROLLOUT,
};

async function remove(words: readonly string[], stdin = "") {
  await using fake = await startFake(SCRIPT);
  const outcome = await runHere(["delete", ...words], { env: { HEDDLE_ADDRESS: fake.address }, stdin });
  return { ...outcome, deletes: fake.calls.filter(({ method }) => method === "DELETE").map(({ path }) => path) };
}

test("delete asks nothing for a normal resource and waits for the proxies", async () => {
  const { code, stdout } = await remove(["meshtimeout", "slow"]);
  assert.equal(code, 0);
  assert.match(stdout, /^deleted MeshTimeout default\/slow\nACKed 1\/1 proxy in [\d.]+ m?s\n$/);
});

test("delete goes on after one that is not there, and fails", async () => {
  const { code, stdout, stderr } = await remove(["meshtimeout", "gone", "slow"]);
  assert.equal(code, 1);
  assert.match(stdout, /^deleted MeshTimeout default\/slow\n/);
  assert.match(stderr, /Cannot delete MeshTimeout default\/gone/);
});

test("delete takes what files hold, in the opposite order of an apply", async () => {
  const documents = "type: Secret\nname: s\n---\ntype: MeshTimeout\nname: slow\n---\ntype: Mesh\nname: prod\n";
  const { code, deletes } = await remove(["-f", "-", "--yes"], documents);
  assert.equal(code, 0);
  assert.deepEqual(deletes, ["/meshes/default/meshtimeouts/slow", "/meshes/default/secrets/s", "/meshes/prod"]);
});

test("delete of a mesh needs --yes where nobody can be asked, and deletes nothing without it", async () => {
  const { code, stderr, deletes } = await remove(["mesh", "prod"], "prod\n");
  assert.equal(code, 1);
  assert.match(stderr, /Cannot delete Mesh prod: nobody is here to confirm it; nothing was deleted\n.*--yes/);
  assert.deepEqual(deletes, []);
  assert.equal((await remove(["mesh", "prod", "--yes"])).code, 0);
});

for (const [typed, code, deletes] of [
  ["prod\n", 0, 1],
  ["yes\n", 1, 0],
  // Ctrl-D at the start of a line ends the input.
  ["\u0004", 1, 0],
] as const) {
  test(`delete of a mesh on a terminal ${code === 0 ? "goes ahead" : "stops"} when ${JSON.stringify(typed)} is typed`, async () => {
    await using fake = await startFake(SCRIPT);
    const outcome = await runInTerminal(["delete", "mesh", "prod"], {
      env: { HEDDLE_ADDRESS: fake.address },
      stdin: typed,
    });
    assert.equal(outcome.code, code, outcome.output);
    assert.match(outcome.output, /Type its name to delete it:/);
    assert.equal(fake.calls.filter(({ method }) => method === "DELETE").length, deletes);
  });
}

for (const words of [[], ["meshtimeout"], ["meshtimeout", "slow", "-f", "x"]]) {
  test(`delete ${words.join(" ")} is wrong usage`, async () => {
    assert.equal((await remove(words)).code, 2);
  });
}
