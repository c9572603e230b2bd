import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createCa, meshCaRequest } from "@heddle/identity/ca.ts";
import { stringify } from "yaml";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { ALLOW_ALL, type Lab, meshService, startLab } from "../support/lab.ts";
import { type OpenBao, startOpenBao } from "../support/openbao.ts";
import { ask, steadyTraffic } from "../support/traffic.ts";

const BUILTIN = { name: "ca-1", type: "builtin" };

function mesh(enabledBackend: string, ...backends: readonly object[]): string {
  return stringify({ type: "Mesh", name: "default", mtls: { enabledBackend, backends } });
}

function vault({ address }: OpenBao, expiration?: string): object {
  return {
    name: "vault-1",
    type: "vault",
    ...(expiration === undefined ? {} : { dpCert: { rotation: { expiration } } }),
    conf: { fromCp: { address, pki: "pki-default", role: "dataplanes", auth: { token: { secret: "vault-token" } } } },
  };
}

function secret(name: string, text: string): string {
  return stringify({ type: "Secret", mesh: "default", name, data: Buffer.from(text).toString("base64") });
}

/** Connections between proxies end at once, so that handshakes happen all the time, with certificates old and new. */
const SHORT_CONNECTIONS = stringify({
  type: "MeshTimeout",
  mesh: "default",
  name: "short-connections",
  spec: { to: [{ targetRef: { kind: "Mesh" }, default: { http: { maxConnectionDuration: "20ms" } } }] },
});

/** A service and a caller in a mesh, with mutual TLS by a builtin authority; `served` waits for so many more requests. */
async function twoServices(
  t: TestContext,
  lab: Lab,
): Promise<{ readonly url: string; readonly served: (more: number) => Promise<void> }> {
  await lab.apply([mesh("ca-1", BUILTIN), ALLOW_ALL, SHORT_CONNECTIONS, meshService("backend")].join("---\n"));
  let requests = 0;
  const app = await application(t, "backend", (_, response) => {
    requests += 1;
    response.end("backend");
  });
  await lab.sidecar({ name: "backend-1", labels: { app: "backend" }, servicePort: app.port });
  const web = await lab.sidecar({ name: "web-1", labels: { "kuma.io/workload": "web" }, calls: ["backend"] });
  const url = web.outbound("backend");
  await eventually(async () => assert.equal((await ask(url)).status, 200));
  const served = async (more: number): Promise<void> => {
    const wanted = requests + more;
    await eventually(() => assert.ok(requests >= wanted, `${wanted - requests} requests to go`));
  };
  return { url, served };
}

/** Waits until every proxy has a certificate of this backend, as its insight says. */
async function issuedBy(lab: Lab, backend: string): Promise<void> {
  await eventually(async () => {
    const { items } = await lab.controlPlane.store.list({ type: "DataplaneInsight" });
    const backends = items.map(({ spec }) => (spec as { mTLS?: { issuedBackend?: string } }).mTLS?.issuedBackend);
    assert.deepEqual(backends, [backend, backend]);
    for (const { held } of lab.controlPlane.meshes.get("default")?.proxies.values() ?? [])
      assert.ok(held !== undefined && held.renewAt > new Date(), "a certificate is due");
  });
  await lab.settled();
}

function serials(lab: Lab): readonly (string | undefined)[] {
  return [...(lab.controlPlane.meshes.get("default")?.proxies.values() ?? [])].map(({ held }) => held?.secret.version);
}

/** Waits until both proxies have another certificate than these. */
async function renewed(lab: Lab, before: readonly (string | undefined)[], patience = 10_000): Promise<void> {
  await eventually(() => {
    for (const version of serials(lab)) assert.ok(!before.includes(version), "a certificate is still the old one");
  }, patience);
  await lab.settled();
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
