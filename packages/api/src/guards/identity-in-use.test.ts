import assert from "node:assert/strict";
import { test } from "node:test";
import { type RunningApi, startApi } from "../testkit/running-api.ts";

const MTLS = { enabledBackend: "ca-1", backends: [{ name: "ca-1", type: "builtin" }] };
const PEM = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";
const MID = "kri_mid_default___own_";

async function online(api: RunningApi, name: string, issuedBackend: string): Promise<void> {
  const subscriptions = [{ id: "1", controlPlaneInstanceId: "cp", connectTime: "2026-01-01T00:00:00Z" }];
  const spec = { subscriptions, mTLS: { issuedBackend } };
  await api.ports.store.create({ type: "DataplaneInsight", mesh: "default", name, labels: {}, spec });
}

async function create(api: RunningApi, type: string, name: string, spec: object): Promise<void> {
  await api.ports.store.create({ type, mesh: "default", name, labels: {}, spec });
}

const identity = {
  selector: { dataplane: { matchLabels: {} } },
  provider: { type: "Bundled", bundled: { autogenerate: { enabled: true }, insecureAllowSelfSigned: true } },
};
const trust = (trustDomain: string) => ({ trustDomain, caBundles: [{ type: "Pem", pem: { value: PEM } }] });

test("identityInUseGuard() says whose certificates of Mesh.mtls are in use when it is turned off", async () => {
  await using api = await startApi();
  const put = (mtls?: object) =>
    api.call("PUT", "/meshes/default", { body: { type: "Mesh", name: "default", ...(mtls && { mtls }) } });
  await put(MTLS);
  for (const name of ["a", "b", "c", "d"]) await online(api, name, "ca-1");
  await online(api, "moved", MID);
  const reply = await put();
  assert.equal(reply.status, 200);
  assert.match(String(reply.json()["warnings"]), /proxies a, b, c and 1 more still show certificates of it/);
  assert.doesNotMatch(String(reply.json()["warnings"]), /moved/);
  assert.equal((await put()).json()["warnings"], undefined, "nothing is turned off");
});

test("identityInUseGuard() says who has its identity from a MeshIdentity that is deleted, and what follows", async () => {
  await using api = await startApi();
  const path = "/meshes/default/meshidentities/own";
  await create(api, "MeshIdentity", "own", identity);
  await online(api, "web", MID);
  const alone = await api.call("DELETE", path);
  assert.equal(alone.status, 200);
  assert.match(String(alone.json()["warnings"]), /proxies web still have their identity from it.*plain text/);
  await create(api, "MeshIdentity", "own", identity);
  await create(api, "MeshIdentity", "other", identity);
  const beside = await api.call("DELETE", path);
  assert.match(String(beside.json()["warnings"]), /change over.*keep its MeshTrust/);
  assert.equal((await api.call("DELETE", "/meshes/default/meshidentities/other")).json()["warnings"], undefined);
});

test("identityInUseGuard() says who needs a MeshTrust that is deleted", async () => {
  await using api = await startApi();
  await create(api, "MeshIdentity", "own", identity);
  await online(api, "web", MID);
  await create(api, "MeshTrust", "own", trust("default.mesh.local"));
  await create(api, "MeshTrust", "partner", trust("partner.example"));
  await create(api, "MeshTrust", "nobody", trust("nobody.example"));
  await create(api, "MeshExternalService", "backend", {
    match: { port: 80 },
    tls: {
      enabled: true,
      meshIdentity: true,
      verification: { subjectAltNames: [{ value: "spiffe://partner.example/workload/backend" }] },
    },
  });
  const remove = async (name: string): Promise<string> => {
    const reply = await api.call("DELETE", `/meshes/default/meshtrusts/${name}`);
    assert.equal(reply.status, 200);
    return String(reply.json()["warnings"]);
  };
  assert.equal(await remove("nobody"), "undefined");
  assert.match(await remove("own"), /^proxies web still have an identity/);
  assert.match(await remove("partner"), /^MeshExternalService backend leads to trust domain "partner.example"/);
});
