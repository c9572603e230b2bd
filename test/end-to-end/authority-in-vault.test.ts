import assert from "node:assert/strict";
import { test } from "node:test";
import { LONG_LIFE, RotatingMesh } from "../support/rotating-mesh.ts";
import { refused, underTraffic } from "../support/under-traffic.ts";

test("a root in Vault to an intermediate there, the control plane killed: no failed request, stale peers refused", async (t) => {
  const mesh = await RotatingMesh.start(t, { signs: "vault-root", life: LONG_LIFE });
  await mesh.newIntermediate();
  const stale = await mesh.peer("vault-root");
  const coming = await mesh.peer("vault-intermediate");
  assert.equal(await mesh.answer(stale), 200);
  assert.equal(await mesh.answer(coming), 0, "the intermediate's root is not trusted yet");
  await underTraffic(t, mesh, async () => {
    await mesh.trust("vault-root", "vault-intermediate");
    await mesh.rotate({ to: "vault-intermediate", removeOld: true }, () => mesh.restart());
    await refused(mesh, stale);
  });
  assert.equal(await mesh.answer(coming), 200);
});
