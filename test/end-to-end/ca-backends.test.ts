import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createCa, meshCaRequest } from "@heddle/identity/ca.ts";
import { BUILTIN, issuedBy, mesh, renewed, secret, serials, twoServices } from "../support/authorities.ts";
import { eventually } from "../support/eventually.ts";
import { startLab } from "../support/lab.ts";
import { type OpenBao, startOpenBao } from "../support/openbao.ts";
import { steadyTraffic } from "../support/traffic.ts";

function vault({ address }: OpenBao, expiration?: string): object {
  return {
    name: "vault-1",
    type: "vault",
    ...(expiration === undefined ? {} : { dpCert: { rotation: { expiration } } }),
    conf: { fromCp: { address, pki: "pki-default", role: "dataplanes", auth: { token: { secret: "vault-token" } } } },
  };
}

test("certificate authorities: builtin, Vault and a new root of it in one step each, without a failed request", async (t) => {
  const bao = await startOpenBao(t);
  const lab = await startLab(t);
  const { url, served } = await twoServices(t, lab);
  await lab.apply(secret("vault-token", await bao.token({ ttl: "1h" })));
  const traffic = steadyTraffic(t, url, 100);

  let before = serials(lab);
  await lab.apply(mesh("vault-1", BUILTIN, vault(bao)));
  await renewed(lab, before);
  await issuedBy(lab, "vault-1");
  await served(50);

  await lab.apply(mesh("vault-1", vault(bao)));
  await lab.settled();
  await served(50);

  before = serials(lab);
  await bao.newRoot();
  // Another life of certificates, so that new ones are issued now.
  await lab.apply(mesh("vault-1", vault(bao, "12h")));
  await renewed(lab, before);
  await served(50);

  before = serials(lab);
  await lab.apply(mesh("ca-1", BUILTIN, vault(bao, "12h")));
  await renewed(lab, before);
  await issuedBy(lab, "ca-1");
  await served(50);

  const tally = await traffic.stop();
  assert.deepEqual(tally.failures, []);
  assert.ok(tally.total >= 200, `${tally.total} requests`);
});

test("certificate authorities: while Vault is sealed traffic goes on, the reason can be read, and it recovers", async (t) => {
  const bao = await startOpenBao(t);
  const lab = await startLab(t);
  const { url, served } = await twoServices(t, lab);
  await lab.apply(secret("vault-token", await bao.token({ ttl: "1h" })));
  await lab.apply(mesh("vault-1", BUILTIN, vault(bao, "20s")));
  await issuedBy(lab, "vault-1");
  const traffic = steadyTraffic(t, url, 50);
  const before = serials(lab);
  await bao.seal();
  // At about 10 s of 20 they are due.
  await eventually(
    () => assert.match(lab.log.join("\n"), /"vault-1" of mesh "default" cannot sign.*Vault is sealed; unseal it/),
    20_000,
  );
  const insight = (await lab.get("/mesh-insights/default")) as {
    mTLS: { backends: Record<string, { state: string; reason?: string }> };
  };
  assert.equal(insight.mTLS.backends["vault-1"]?.state, "down");
  assert.match(insight.mTLS.backends["vault-1"]?.reason ?? "", /sealed/);
  await bao.unseal();
  await renewed(lab, before);
  await served(20);
  await eventually(() => assert.match(lab.log.join("\n"), /"vault-1" of mesh "default" signs again/));
  const tally = await traffic.stop();
  assert.deepEqual(tally.failures, []);
});

test("certificate authorities: a provided one from a Secret and from a file, replaced under traffic", async (t) => {
  const lab = await startLab(t);
  const { url, served } = await twoServices(t, lab);
  const make = () => createCa(meshCaRequest("default", "ecdsa-p256", new Date()));
  const [first, second, third] = await Promise.all([make(), make(), make()]);
  const file = (name: string): string => join(lab.folder, name);
  await lab.apply([secret("ca-cert", first.certificatePem), secret("ca-key", first.keyPem)].join("---\n"));
  const provided = { name: "own", type: "provided", conf: { cert: { secret: "ca-cert" }, key: { secret: "ca-key" } } };
  const traffic = steadyTraffic(t, url, 100);

  let before = serials(lab);
  await lab.apply(mesh("own", BUILTIN, provided));
  await renewed(lab, before);
  await issuedBy(lab, "own");
  await served(50);

  before = serials(lab);
  await lab.apply([secret("ca-cert", second.certificatePem), secret("ca-key", second.keyPem)].join("---\n"));
  await renewed(lab, before);
  await served(50);

  await writeFile(file("ca.pem"), second.certificatePem);
  await writeFile(file("ca.key"), second.keyPem);
  const byFile = { ...provided, conf: { cert: { file: file("ca.pem") }, key: { file: file("ca.key") } } };
  await lab.apply(mesh("own", BUILTIN, byFile));
  await lab.settled();
  before = serials(lab);
  await writeFile(file("ca.pem"), third.certificatePem);
  await writeFile(file("ca.key"), third.keyPem);
  await renewed(lab, before);
  await served(50);

  const tally = await traffic.stop();
  assert.deepEqual(tally.failures, []);
});
