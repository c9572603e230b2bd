import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { eventually } from "./eventually.ts";
import { openLoop } from "./open-loop.ts";
import type { Peer, RotatingMesh } from "./rotating-mesh.ts";
import { watchShown } from "./shown-certificates.ts";

const PER_SECOND = 200;

/** One change under 200 requests a second: none may fail, and at the end caller and service must show other certificates. */
export async function underTraffic(t: TestContext, mesh: RotatingMesh, change: () => Promise<void>): Promise<void> {
  const handshakes = await mesh.handshakes();
  const seen = watchShown(t, () => [mesh.port]);
  const stop = openLoop(t, mesh.urls, PER_SECOND);
  await othersShown(mesh, change);
  const { total, failures } = await stop();
  assert.deepEqual([...failures], [], `of ${total} requests`);
  // A second of them, however fast the machine was done with the change.
  assert.ok(total >= PER_SECOND, `${total} requests`);
  const { looks, expired } = seen();
  assert.ok(looks > 0 && expired === 0, `${expired} of ${looks} certificates had expired`);
  const more = (await mesh.handshakes()) - handshakes;
  assert.ok(more >= 2, `${more} handshakes in which certificates were verified`);
}

/** Does something, and waits until both sidecars show other certificates than before. */
export async function othersShown(mesh: RotatingMesh, change: () => Promise<void> = async () => {}): Promise<void> {
  const { caller, service } = await mesh.shown();
  await change();
  await eventually(async () => {
    const now = await mesh.shown();
    assert.notEqual(now.caller, caller, "the caller still shows the certificate of before");
    assert.notEqual(now.service, service, "the service still shows the certificate of before");
  }, 20_000);
}

/** Waits until this peer gets in no more. */
export async function refused(mesh: RotatingMesh, peer: Peer): Promise<void> {
  await eventually(async () => assert.equal(await mesh.answer(peer), 0, "a peer of the old authority gets in"), 20_000);
}
