import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { openLoop } from "../support/open-loop.ts";
import { type Peer, RotatingMesh } from "../support/rotating-mesh.ts";
import { ask } from "../support/traffic.ts";

const PER_SECOND = 200;

/** One change under traffic, which must fail no request, and after which the caller has shown another certificate. */
async function underTraffic(t: TestContext, mesh: RotatingMesh, change: () => Promise<void>): Promise<void> {
  // Over connections that stay the caller is who it was when they began.
  const fresh = mesh.urls.at(-1) ?? "";
  const first = (await ask(fresh)).body;
  const before = await mesh.handshakes();
  const stop = openLoop(t, mesh.urls, PER_SECOND);
  await change();
  await eventually(async () => {
    assert.notEqual((await ask(fresh)).body, first, "the caller still shows its first certificate");
  }, 20_000);
  const { total, failures } = await stop();
  assert.deepEqual([...failures], [], `of ${total} requests`);
  assert.ok(total >= PER_SECOND, `${total} requests`);
  const handshakes = (await mesh.handshakes()) - before;
  assert.ok(handshakes >= 2, `${handshakes} handshakes in which certificates were verified`);
}

async function refused(mesh: RotatingMesh, peer: Peer): Promise<void> {
  await eventually(async () => assert.equal(await mesh.answer(peer), 0, "a peer of the old authority gets in"), 20_000);
}

test("builtin to Vault and back, the control plane killed in each: no failed request, stale peers refused", async (t) => {
  const mesh = await RotatingMesh.start(t);
  const first = await mesh.peer("ca-1");
  await underTraffic(t, mesh, async () => {
    await mesh.trust("ca-1", "vault-root");
    await mesh.rotate({ to: "vault-root" }, () => mesh.restart());
    assert.equal(await mesh.answer(first), 200, "the old authority is trusted until it is taken out");
    await mesh.trust("vault-root");
    await refused(mesh, first);
  });

  const second = await mesh.peer("vault-root");
  assert.equal(await mesh.answer(second), 200);
  await underTraffic(t, mesh, async () => {
    await mesh.trust("vault-root", "ca-1");
    await mesh.rotate({ to: "ca-1", removeOld: true }, () => mesh.restart());
    await refused(mesh, second);
  });
});
