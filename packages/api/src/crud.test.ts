import assert from "node:assert/strict";
import { rootCertificates } from "node:tls";
import { test } from "node:test";
import { proxyDocument, startApi } from "./testkit/running-api.ts";

const LOCAL = { "kuma.io/origin": "zone", "kuma.io/zone": "default", "kuma.io/env": "universal" };

/** What a user writes, where, and what they get back beside it. */
const kinds = [
  {
    path: "/meshes/shop",
    document: {
      type: "Mesh",
      name: "shop",
      mtls: { enabledBackend: "ca-1", backends: [{ name: "ca-1", type: "builtin" }] },
    },
    added: { labels: { "kuma.io/display-name": "shop", "kuma.io/origin": "zone" }, kri: "kri_m____shop_" },
  },
  {
    path: "/meshes/default/dataplanes/web-01",
    document: proxyDocument("web-01"),
    added: {
      labels: { "kuma.io/display-name": "web-01", "kuma.io/mesh": "default", ...LOCAL },
      kri: "kri_dp_default_default__web-01_",
    },
  },
  {
    path: "/meshes/default/meshservices/web",
    document: {
      type: "MeshService",
      mesh: "default",
      name: "web",
      spec: { selector: { dataplaneTags: { "kuma.io/service": "web" } }, ports: [{ port: 80, appProtocol: "http" }] },
    },
    added: {
      labels: { "kuma.io/display-name": "web", "kuma.io/mesh": "default", ...LOCAL },
      kri: "kri_msvc_default_default__web_",
    },
  },
  {
    path: "/meshes/default/meshtimeouts/slow",
    document: {
      type: "MeshTimeout",
      mesh: "default",
      name: "slow",
      spec: { to: [{ targetRef: { kind: "Mesh" }, default: { connectionTimeout: "2s" } }] },
    },
    added: {
      labels: {
        "kuma.io/display-name": "slow",
        "kuma.io/mesh": "default",
        ...LOCAL,
        "kuma.io/policy-role": "system",
      },
      kri: "kri_mt_default_default__slow_",
    },
  },
  {
    path: "/meshes/default/meshidentities/all",
    document: {
      type: "MeshIdentity",
      mesh: "default",
      name: "all",
      spec: {
        selector: { dataplane: { matchLabels: {} } },
        provider: { type: "Bundled", bundled: { autogenerate: { enabled: true }, insecureAllowSelfSigned: true } },
      },
    },
    added: {
      labels: { "kuma.io/display-name": "all", "kuma.io/mesh": "default", ...LOCAL },
      kri: "kri_mid_default_default__all_",
    },
  },
  {
    path: "/meshes/default/meshtrusts/other",
    document: {
      type: "MeshTrust",
      mesh: "default",
      name: "other",
      spec: {
        trustDomain: "other.example",
        caBundles: [{ type: "Pem", pem: { value: rootCertificates.slice(0, 1).join() } }],
      },
    },
    added: {
      labels: { "kuma.io/display-name": "other", "kuma.io/mesh": "default", ...LOCAL },
      kri: "kri_mtrust_default_default__other_",
    },
  },
  {
    path: "/zones/east",
    document: { type: "Zone", name: "east", enabled: true },
    added: { labels: { "kuma.io/display-name": "east", "kuma.io/origin": "zone" }, kri: "kri_z____east_" },
  },
  {
    path: "/meshes/default/secrets/key",
    document: { type: "Secret", mesh: "default", name: "key", data: "c2VjcmV0" },
    added: { labels: { "kuma.io/display-name": "key", "kuma.io/mesh": "default", ...LOCAL } },
  },
  {
    path: "/globalsecrets/admin",
    document: { type: "GlobalSecret", name: "admin", data: "c2VjcmV0" },
    added: { labels: { "kuma.io/display-name": "admin", "kuma.io/origin": "zone" } },
  },
];

for (const { path, document, added } of kinds) {
  test(`createApi() stores, gives back and deletes a ${document.type} at ${path}`, async () => {
    await using api = await startApi();
    const created = await api.call("PUT", path, { body: document });
    assert.deepEqual([created.status, created.json()], [201, {}]);
    assert.equal(created.headers["heddle-outcome"], "created");

    const got = await api.call("GET", path);
    const { creationTime, modificationTime, ...rest } = got.json();
    assert.equal(got.status, 200);
    assert.deepEqual(rest, { ...document, ...added });
    assert.match(String(creationTime), /^\d{4}-\d\d-\d\dT/);
    assert.equal(modificationTime, creationTime);

    const deleted = await api.call("DELETE", path);
    assert.deepEqual([deleted.status, deleted.json()], [200, {}]);
    assert.equal((await api.call("GET", path)).status, 404);
  });
}

test("createApi() takes what it gave, unchanged, and writes nothing then", async () => {
  await using api = await startApi();
  const path = "/meshes/default/dataplanes/web-01";
  const first = await api.call("PUT", path, { body: proxyDocument("web-01") });
  const given = (await api.call("GET", path)).json();
  const again = await api.call("PUT", path, { body: given });
  assert.deepEqual([again.status, again.json()], [200, {}]);
  assert.equal(again.headers["heddle-outcome"], "unchanged");
  assert.equal(again.headers["heddle-revision"], first.headers["heddle-revision"]);
  assert.deepEqual((await api.call("GET", path)).json(), given);
});

test("createApi() replaces a resource, keeps its creation time and says the revision of the write", async () => {
  await using api = await startApi();
  const path = "/zones/east";
  await api.call("PUT", path, { body: { type: "Zone", name: "east", enabled: true } });
  const before = (await api.call("GET", path)).json();
  const put = await api.call("PUT", path, { body: { type: "Zone", name: "east", enabled: false } });
  const after = (await api.call("GET", path)).json();
  assert.deepEqual([put.status, put.headers["heddle-outcome"]], [200, "updated"]);
  assert.equal(Number(put.headers["heddle-revision"]), await api.ports.store.revision());
  assert.deepEqual([after["enabled"], after["creationTime"]], [false, before["creationTime"]]);
});

test("createApi() takes type, mesh and name from the path when the body leaves them out", async () => {
  await using api = await startApi();
  const put = await api.call("PUT", "/zones/east", { body: { enabled: true } });
  assert.equal(put.status, 201);
  assert.equal((await api.call("GET", "/zones/east")).json()["name"], "east");
});

test("createApi() takes YAML", async () => {
  await using api = await startApi();
  const body = "type: Mesh\nname: shop\nmtls:\n  backends:\n  - {name: ca-1, type: builtin}\n";
  const put = await api.call("PUT", "/meshes/shop", { body, headers: { "content-type": "application/yaml" } });
  assert.equal(put.status, 201);
  const mesh = (await api.call("GET", "/meshes/shop")).json();
  assert.deepEqual(mesh["mtls"], { backends: [{ name: "ca-1", type: "builtin" }] });
});

test("createApi() keeps the status that the control plane wrote, whatever a user sends", async () => {
  await using api = await startApi();
  const key = { type: "MeshService", mesh: "default", name: "web" };
  await api.ports.store.create({ ...key, labels: {}, spec: { ports: [{ port: 80 }] }, status: { vips: [] } });
  const body = { ...key, spec: { ports: [{ port: 81 }] }, status: { vips: [{ ip: "198.51.100.1" }] } };
  assert.equal((await api.call("PUT", "/meshes/default/meshservices/web", { body })).status, 200);
  assert.deepEqual((await api.ports.store.get(key))?.status, { vips: [] });
});

test("createApi() serves kinds under their aliases", async () => {
  await using api = await startApi();
  await api.call("PUT", "/global-secrets/admin", { body: { data: "c2VjcmV0" } });
  assert.equal((await api.call("GET", "/globalsecrets/admin")).json()["data"], "c2VjcmV0");
});

test("createApi() gives the Kubernetes form of a resource", async () => {
  await using api = await startApi();
  await api.call("PUT", "/meshes/default/dataplanes/web-01", { body: proxyDocument("web-01") });
  const path = "/meshes/default/dataplanes/web-01?format=kubernetes&namespace=shop";
  const { metadata, ...rest } = (await api.call("GET", path)).json();
  assert.deepEqual(rest, {
    apiVersion: "kuma.io/v1alpha1",
    kind: "Dataplane",
    mesh: "default",
    spec: { networking: proxyDocument("web-01")["networking"] },
  });
  assert.equal((metadata as { namespace: string }).namespace, "shop");

  await api.call("PUT", "/globalsecrets/admin", { body: { data: "c2VjcmV0" } });
  const secret = (await api.call("GET", "/globalsecrets/admin?format=k8s")).json();
  assert.deepEqual([secret["type"], secret["data"]], ["system.kuma.io/global-secret", { value: "c2VjcmV0" }]);
});

test("createApi() deletes what a resource leaves behind: the insight of a proxy, everything in a mesh", async () => {
  await using api = await startApi();
  const { store } = api.ports;
  await api.call("PUT", "/meshes/shop", { body: {} });
  await api.call("PUT", "/meshes/shop/dataplanes/web-01", { body: proxyDocument("web-01", { mesh: "shop" }) });
  await api.call("PUT", "/meshes/shop/secrets/key", { body: { data: "c2VjcmV0" } });
  const insight = { type: "DataplaneInsight", mesh: "shop", name: "web-01" };
  await store.create({ ...insight, labels: {}, spec: {} });

  await api.call("DELETE", "/meshes/shop/dataplanes/web-01");
  assert.equal(await store.get(insight), undefined);
  await api.call("DELETE", "/meshes/shop");
  assert.equal(await store.get({ type: "Secret", mesh: "shop", name: "key" }), undefined);
});
