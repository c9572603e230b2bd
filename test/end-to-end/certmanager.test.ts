import assert from "node:assert/strict";
import { test } from "node:test";
import { BUILTIN, issuedBy, mesh, renewed, serials, twoServices } from "../support/authorities.ts";
import { withIssuer, writeAuthority } from "../support/cert-manager.ts";
import { eventually } from "../support/eventually.ts";
import { withoutKubernetes } from "../support/kubernetes.ts";
import { startLab } from "../support/lab.ts";
import { steadyTraffic } from "../support/traffic.ts";

const skip = withoutKubernetes();

test("certificate authorities: builtin, cert-manager, its new root, builtin; no request fails", { skip }, async (t) => {
  const { kubernetes } = await withIssuer(t);
  const lab = await startLab(t);
  const { url, served } = await twoServices(t, lab);
  const traffic = steadyTraffic(t, url, 100);
  const certmanager = (expiration: string): object => ({
    name: "cm",
    type: "certmanager",
    dpCert: { rotation: { expiration } },
    conf: { issuerRef: { name: "mesh-ca" } },
  });
  // The issuer is looked at by the controllers at about the same time.
  await eventually(async () => await lab.apply(mesh("ca-1", BUILTIN, certmanager("24h"))), 15_000);

  let before = serials(lab);
  await lab.apply(mesh("cm", BUILTIN, certmanager("24h")));
  await renewed(lab, before);
  await issuedBy(lab, "cm");
  await served(50);

  before = serials(lab);
  await writeAuthority(kubernetes);
  await lab.apply(mesh("cm", BUILTIN, certmanager("12h")));
  await renewed(lab, before, 20_000);
  await served(50);

  before = serials(lab);
  await lab.apply(mesh("ca-1", BUILTIN, certmanager("12h")));
  await renewed(lab, before);
  await issuedBy(lab, "ca-1");
  await served(50);

  const tally = await traffic.stop();
  assert.deepEqual(tally.failures, []);
  assert.ok(tally.total >= 200, `${tally.total} requests`);
});
