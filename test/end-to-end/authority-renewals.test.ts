import { test } from "node:test";
import { RotatingMesh } from "../support/rotating-mesh.ts";
import { othersShown, underTraffic } from "../support/under-traffic.ts";

/** Replaced after a quarter of it at the latest; the rest is there for a busy machine to start a control plane. */
const LIFE = "20s";

test("renewals every four to five seconds, the control plane killed between them: no failed request", async (t) => {
  const mesh = await RotatingMesh.start(t, { life: LIFE });
  await underTraffic(t, mesh, async () => {
    await othersShown(mesh);
    await mesh.restart();
    // One may be a proxy's that came back; the other is by the clock of the new control plane.
    for (const _ of ["first", "second"]) await othersShown(mesh);
  });
});
