import assert from "node:assert/strict";
import { test } from "node:test";
import { LONG_LIFE, RotatingMesh } from "../support/rotating-mesh.ts";
import { refused, underTraffic } from "../support/under-traffic.ts";

test("builtin to Vault and back, the control plane killed in each: no failed request, stale peers refused", async (t) => {
  const mesh = await RotatingMesh.start(t, { life: LONG_LIFE });
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
