import assert from "node:assert/strict";
import { test } from "node:test";
import { proxyDocument, type RunningApi, startApi } from "../testkit/running-api.ts";

const mtls = (enabledBackend: string | undefined, ...names: string[]) => ({
  ...(enabledBackend === undefined ? {} : { enabledBackend }),
  backends: names.map((name) => ({ name, type: "builtin" })),
});

async function holdsCertificate(api: RunningApi, issuedBackend: string): Promise<void> {
  const subscriptions = [{ id: "1", controlPlaneInstanceId: "cp", connectTime: "2026-01-01T00:00:00Z" }];
  const spec = { subscriptions, mTLS: { issuedBackend } };
  await api.ports.store.create({ type: "DataplaneInsight", mesh: "shop", name: "web", labels: {}, spec });
}

test("meshDeletionGuard() keeps a mesh with proxies in it", async () => {
  await using api = await startApi();
  for (const name of ["a", "b", "c", "d"]) {
    await api.call("PUT", `/meshes/default/dataplanes/${name}`, { body: proxyDocument(name) });
  }
  const reply = await api.call("DELETE", "/meshes/default");
  const reason =
    "unable to delete mesh, there are still some dataplanes attached: a, b, c and 1 more; stop or delete them first";
  assert.deepEqual([reply.status, reply.json()["title"]], [400, "Could not delete a resource"]);
  assert.deepEqual(reply.json()["invalid_parameters"], [{ field: "mesh", reason }]);
  assert.equal((await api.call("GET", "/meshes/default/dataplanes/a")).status, 200);
});

test("meshDeletionGuard() lets go with unsafeDelete", async () => {
  await using api = await startApi({}, { unsafeDelete: true });
  await api.call("PUT", "/meshes/default/dataplanes/a", { body: proxyDocument("a") });
  assert.equal((await api.call("DELETE", "/meshes/default")).status, 200);
  assert.equal((await api.call("GET", "/dataplanes")).json()["total"], 0);
});

const caChanges = [
  ["switching to a second authority", mtls("a", "a"), mtls("b", "a", "b"), undefined, 200],
  ["switching and dropping the first at once", mtls("a", "a"), mtls("b", "b"), undefined, 400],
  ["dropping one that signs for nobody any more", mtls("b", "a", "b"), mtls("b", "b"), undefined, 200],
  ["dropping one whose certificates are in use", mtls("b", "a", "b"), mtls("b", "b"), "a", 400],
  ["dropping one with skipValidation", mtls("b", "a", "b"), { ...mtls("b", "b"), skipValidation: true }, "a", 200],
  ["turning mutual TLS off", mtls("a", "a"), mtls(undefined), "a", 200],
  ["turning mutual TLS on", {}, mtls("a", "a"), undefined, 200],
] as const;

for (const [what, before, after, held, status] of caChanges) {
  test(`meshCaGuard answers ${what} with ${status}`, async () => {
    await using api = await startApi();
    await api.call("PUT", "/meshes/shop", { body: { mtls: before } });
    if (held !== undefined) await holdsCertificate(api, held);
    const reply = await api.call("PUT", "/meshes/shop", { body: { mtls: after } });
    assert.equal(reply.status, status, reply.text);
    if (status === 400) {
      const [first] = reply.json()["invalid_parameters"] as { field: string; reason: string }[];
      assert.equal(first?.field, "mtls.backends");
      assert.match(first?.reason ?? "", /^must still list "a"/);
    }
  });
}

test("labelGuard() refuses more labels than anybody needs", async () => {
  await using api = await startApi();
  const labels = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`l${index}`, "x"]));
  const reply = await api.call("PUT", "/zones/east", { body: { labels } });
  const reason = "must have at most 128 labels, not 202";
  assert.deepEqual(reply.json()["invalid_parameters"], [{ field: "labels", reason }]);
});

const target = (targetRef: object) => ({ spec: { targetRef, to: [] } });
const destination = (targetRef: object) => ({ spec: { to: [{ targetRef, default: {} }] } });

const warned: readonly (readonly [string, object, readonly string[]])[] = [
  [
    "a proxy by name that is not there",
    target({ kind: "Dataplane", name: "nobody" }),
    ['spec.targetRef: there is no data plane proxy "nobody" in mesh "default"; the policy selects no proxy now'],
  ],
  [
    "labels that no proxy has",
    target({ kind: "Dataplane", labels: { team: "blue" } }),
    ['spec.targetRef: there is no data plane proxy with team=blue in mesh "default"; the policy selects no proxy now'],
  ],
  [
    "tags that no proxy has",
    target({ kind: "MeshSubset", tags: { version: "v9" } }),
    ['spec.targetRef: there is no data plane proxy with version=v9 in mesh "default"; the policy selects no proxy now'],
  ],
  [
    "a service that is not there",
    destination({ kind: "MeshService", name: "nobody" }),
    ['spec.to[0].targetRef: there is no MeshService "nobody" in mesh "default" now'],
  ],
  ["a proxy that is there", target({ kind: "Dataplane", name: "web" }), []],
  ["labels that a proxy has", target({ kind: "Dataplane", labels: { team: "red" } }), []],
  ["tags that a proxy has", target({ kind: "MeshSubset", tags: { version: "v1" } }), []],
  ["a service that exists by tags of a proxy", destination({ kind: "MeshService", name: "web" }), []],
  ["the whole mesh", destination({ kind: "Mesh" }), []],
  [
    "a service outside of the mesh that is not there",
    destination({ kind: "MeshExternalService", name: "x" }),
    ['spec.to[0].targetRef: there is no MeshExternalService "x" in mesh "default" now'],
  ],
];

for (const [what, body, warnings] of warned) {
  test(`danglingGuard() ${warnings.length === 0 ? "accepts" : "warns of"} a policy with ${what}`, async () => {
    await using api = await startApi();
    await api.call("PUT", "/meshes/default/dataplanes/web", {
      body: proxyDocument("web", { labels: { team: "red" } }),
    });
    const reply = await api.call("PUT", "/meshes/default/meshtimeouts/slow", { body });
    assert.equal(reply.status, 201, reply.text);
    assert.deepEqual(reply.json(), warnings.length === 0 ? {} : { warnings });
  });
}

test("danglingGuard() warns of an outbound to a service that is not there", async () => {
  await using api = await startApi();
  const outbound = [{ port: 9_000, backendRef: { kind: "MeshService", name: "api", port: 80 } }];
  const networking = { address: "192.0.2.1", outbound };
  const reply = await api.call("PUT", "/meshes/default/dataplanes/web", { body: proxyDocument("web", { networking }) });
  const warning = 'networking.outbound[0].backendRef: there is no MeshService "api" in mesh "default" now';
  assert.deepEqual([reply.status, reply.json()], [201, { warnings: [warning] }]);
});

test("createApi() hears the kind's own warnings and the guards of the control plane", async () => {
  await using api = await startApi({
    writeGuards: [
      (write) => (write.operation === "delete" ? { refusal: { status: 405, detail: "Cannot delete: kept" } } : {}),
      () => ({ warnings: ["the last guard"] }),
    ],
  });
  const put = await api.call("PUT", "/meshes/default/meshtimeouts/slow", { body: { spec: {} } });
  assert.deepEqual(put.json(), { warnings: ["spec: has no effect without to", "the last guard"] });
  const deleted = await api.call("DELETE", "/meshes/default/meshtimeouts/slow");
  assert.deepEqual([deleted.status, deleted.json()["detail"]], [405, "Cannot delete: kept"]);
});
