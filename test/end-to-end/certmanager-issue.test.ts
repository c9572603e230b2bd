import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { type TestContext, test } from "node:test";
import { BackendUnavailable, type CaBackend } from "@heddle/identity/backends/backend.ts";
import { certmanagerAuthority } from "@heddle/identity/backends/certmanager/certmanager-authority.ts";
import { type CertmanagerSettings, readCertmanagerSettings } from "@heddle/identity/backends/certmanager/settings.ts";
import { openRemote } from "@heddle/identity/backends/remote/remote-backend.ts";
import { createCa, meshCaRequest } from "@heddle/identity/ca.ts";
import { NAMESPACE, withIssuer } from "../support/cert-manager.ts";
import { eventually } from "../support/eventually.ts";
import { type Kubernetes, withoutKubernetes } from "../support/kubernetes.ts";

const skip = withoutKubernetes();

const WEB = {
  uris: ["spiffe://default/web", "kuma://kuma.io/service/web"],
  validitySeconds: 600,
  usages: ["server", "client"],
  now: new Date(),
} as const;

async function open(t: TestContext, more: Partial<CertmanagerSettings> = {}): Promise<CaBackend> {
  const at = { mesh: "default", field: "conf", read: async () => "" };
  const timeouts = { issueTimeout: 5_000, chainTimeout: 2_000 };
  const settings = await readCertmanagerSettings({ issuerRef: { name: "mesh-ca" } }, timeouts, at);
  const events = { now: () => new Date(), onChange: () => undefined, chance: () => 0 };
  const backend = openRemote(certmanagerAuthority({ ...settings, ...more }), events);
  t.after(() => backend.close());
  return backend;
}

async function ready(backend: CaBackend): Promise<void> {
  await eventually(() => assert.equal(backend.state.state, "ready", JSON.stringify(backend.state)), 15_000);
}

function reasonOf({ state }: CaBackend): string {
  return state.state === "down" ? state.reason : state.state;
}

async function left({ objects }: Kubernetes): Promise<number> {
  const kind = { group: "cert-manager.io", version: "v1", plural: "certificaterequests", namespace: NAMESPACE };
  const { items } = (await objects.listNamespacedCustomObject(kind)) as { items: unknown[] };
  return items.length;
}

test("a certmanager backend against a real API server and cert-manager's controllers", { skip }, async (t) => {
  const { kubernetes, root } = await withIssuer(t);

  await t.test("issues for a key of its own; the root is learned; no CertificateRequest is left", async (s) => {
    const backend = await open(s, {
      commonName: '{{ tag "kuma.io/service" }}.mesh',
      dnsNames: ['{{ tag "kuma.io/service" }}.internal', '{{ tag "none" }}.internal'],
    });
    await ready(backend);
    assert.deepEqual(backend.roots, [root]);
    const { certificatePem, keyPem } = await backend.issue(WEB);
    const leaf = new X509Certificate(certificatePem);
    const names = (leaf.subjectAltName ?? "").split(", ").toSorted();
    assert.deepEqual(names, ["DNS:web.internal", "URI:kuma://kuma.io/service/web", "URI:spiffe://default/web"]);
    assert.equal(leaf.subject, "CN=web.mesh");
    assert.ok(leaf.checkPrivateKey(createPrivateKey(keyPem)));
    assert.ok(leaf.verify(new X509Certificate(root).publicKey));
    const life = (leaf.validToDate.getTime() - Date.now()) / 1_000;
    assert.ok(life > 550 && life <= 600, `${life} seconds`);
    assert.equal(await left(kubernetes), 0);
  });

  await t.test("many at once", async (s) => {
    const backend = await open(s);
    await ready(backend);
    const issued = await Promise.all(Array.from({ length: 40 }, () => backend.issue(WEB)));
    assert.equal(new Set(issued.map(({ serial }) => serial)).size, 40);
    assert.equal(await left(kubernetes), 0);
  });

  await t.test("conf.caCert is what is trusted; what it did not sign is refused", async (s) => {
    const other = await createCa(meshCaRequest("default", "ecdsa-p256", new Date()));
    const backend = await open(s, { ca: other.certificatePem });
    await ready(backend);
    await assert.rejects(backend.issue(WEB), /the authority it tells of did not sign/);
  });

  await t.test("an issuer that is not there: down with cert-manager's words, nothing is left", async (s) => {
    const issuerRef = { name: "none", kind: "Issuer", group: "cert-manager.io" };
    const backend = await open(s, { issuerRef, issueTimeout: 1_500 });
    await eventually(() => assert.match(reasonOf(backend), /no certificate within 1500 ms .*"none" not found/));
    backend.close();
    await eventually(async () => assert.equal(await left(kubernetes), 0));
  });

  await t.test("a request that was denied is refused with the message, the backend stays", async (s) => {
    const backend = await open(s);
    await ready(backend);
    await kubernetes.stopCertManager();
    const asked = assert.rejects(backend.issue(WEB), /cert-manager refuses: Denied: not in this cluster/);
    await deny(kubernetes, "not in this cluster");
    await asked;
    assert.equal(backend.state.state, "ready");
    await kubernetes.startCertManager();
  });

  await t.test("an API server that hangs: down with the reason, then ready by itself", async (s) => {
    const backend = await open(s, { issueTimeout: 1_000 });
    await ready(backend);
    kubernetes.freeze(true);
    s.after(() => kubernetes.freeze(false));
    await assert.rejects(backend.issue(WEB), BackendUnavailable);
    assert.match(reasonOf(backend), /no certificate within 1000 ms/);
    kubernetes.freeze(false);
    await ready(backend);
    await backend.issue(WEB);
  });
});

/** What an approver of a cluster does with the next request: https://cert-manager.io/docs/usage/certificaterequest/#approval */
async function deny({ objects }: Kubernetes, message: string): Promise<void> {
  const kind = { group: "cert-manager.io", version: "v1", plural: "certificaterequests", namespace: NAMESPACE };
  await eventually(async () => {
    const { items } = (await objects.listNamespacedCustomObject(kind)) as { items: { metadata: { name: string } }[] };
    const [request] = items;
    assert.ok(request !== undefined, "no request yet");
    const condition = { type: "Denied", status: "True", reason: "policy", message };
    const body = { ...request, status: { conditions: [condition] } };
    await objects.replaceNamespacedCustomObjectStatus({ ...kind, name: request.metadata.name, body });
  });
}
