import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tokens } from "./ports.ts";
import { FROM_ELSEWHERE } from "./testkit/http-client.ts";
import { startApi } from "./testkit/running-api.ts";

test("createApi() says at / what it is, to anybody", async () => {
  await using api = await startApi();
  assert.deepEqual((await api.call("GET", "/", { headers: FROM_ELSEWHERE })).json(), {
    hostname: "cp-1",
    product: "Heddle",
    tagline: "Heddle",
    version: "0.1.0",
    instanceId: "cp-1-7f3a",
    clusterId: "2c5a4d0e",
    gui: "The GUI is not served here",
    basedOnKuma: "2.14.0",
  });
});

test("createApi() gives kumactl a version that it works with, and the product's own name", async () => {
  await using api = await startApi();
  const headers = { "user-agent": "kumactl/2.14.3 (linux; amd64; Kuma/abcdef0)" };
  const { product, version } = (await api.call("GET", "/", { headers })).json();
  assert.deepEqual([product, version], ["Heddle", "0.1.0-preview.kuma.2.14.0"]);
});

test("createApi() shows the configuration and the versions as the ports give them", async () => {
  await using api = await startApi();
  assert.deepEqual((await api.call("GET", "/config")).json(), api.ports.config());
  assert.deepEqual((await api.call("GET", "/versions")).json(), api.ports.versions());
});

test("createApi() tells the fields of a kind as JSON Schema and as a form", async () => {
  await using api = await startApi();
  const told = (await api.call("GET", "/_schemas/MeshTimeout")).json() as {
    scope: string;
    schema: { properties: object };
    form: { path: string }[];
  };
  assert.equal(told.scope, "Mesh");
  assert.ok("spec" in told.schema.properties);
  assert.equal(told.form[0]?.path, "spec.targetRef");
  assert.equal((await api.call("GET", "/_schemas/MeshTimeot")).status, 404);
});

test("createApi() lists all kinds at /_resources and the policies at /policies", async () => {
  await using api = await startApi();
  const { resources } = (await api.call("GET", "/_resources")).json() as { resources: { name: string }[] };
  const names = resources.map((resource) => resource.name);
  assert.deepEqual(names, names.toSorted());
  assert.deepEqual(
    resources.find((resource) => resource.name === "MeshTimeout"),
    {
      name: "MeshTimeout",
      path: "meshtimeouts",
      scope: "Mesh",
      readOnly: false,
      shortName: "mt",
      singularDisplayName: "Mesh Timeout",
      pluralDisplayName: "Mesh Timeouts",
      includeInFederation: true,
      policy: {
        isTargetRef: true,
        hasToTargetRef: true,
        hasFromTargetRef: false,
        hasRulesTargetRef: true,
        isFromAsRules: false,
      },
    },
  );
  const { policies } = (await api.call("GET", "/policies")).json() as { policies: { name: string }[] };
  assert.deepEqual(
    policies.filter(({ name }) => ["MeshTimeout", "Timeout"].includes(name)),
    [
      {
        name: "MeshTimeout",
        readOnly: false,
        path: "meshtimeouts",
        singularDisplayName: "Mesh Timeout",
        pluralDisplayName: "Mesh Timeouts",
        isExperimental: false,
        isTargetRefBased: true,
        isInbound: true,
        isOutbound: true,
      },
      {
        name: "Timeout",
        readOnly: false,
        path: "timeouts",
        singularDisplayName: "Timeout",
        pluralDisplayName: "Timeouts",
        isExperimental: false,
        isTargetRefBased: false,
        isInbound: false,
        isOutbound: true,
      },
    ],
  );
});

test("createApi() finds a resource by its KRI, also one that came from another zone under another name", async () => {
  await using api = await startApi();
  await api.call("PUT", "/meshes/default/meshtimeouts/slow", { body: { spec: { to: [] } } });
  const own = await api.call("GET", "/_kri/kri_mt_default_default__slow_");
  assert.deepEqual([own.status, own.json()["name"]], [200, "slow"]);

  const labels = { "kuma.io/display-name": "web", "kuma.io/zone": "east", "k8s.kuma.io/namespace": "shop" };
  const foreign = { type: "MeshService", mesh: "default", name: "web-x4w9", labels, spec: {} };
  await api.ports.store.create(foreign);
  const found = await api.call("GET", "/_kri/kri_msvc_default_east_shop_web_80");
  assert.deepEqual([found.status, found.json()["name"]], [200, "web-x4w9"]);
  assert.equal((await api.call("GET", "/_kri/kri_msvc_default_west_shop_web_")).status, 404);
});

for (const kri of ["slow", "kri_mt_default", "kri_zz_default_default__slow_", "kri_mt_default_default__slow__"]) {
  test(`createApi() refuses ${kri}, which is no KRI`, async () => {
    await using api = await startApi();
    const reply = await api.call("GET", `/_kri/${kri}`);
    assert.deepEqual([reply.status, reply.json()["detail"]], [400, "Invalid KRI"]);
  });
}

const tokens: Tokens = {
  issueDataplaneToken: async (request) =>
    request.mesh === "default"
      ? { ok: true, token: JSON.stringify(request) }
      : { ok: false, status: 404, detail: `there is no signing key in mesh "${request.mesh}"` },
  issueZoneToken: async (request) => ({ ok: true, token: JSON.stringify(request) }),
  issueUserToken: async (request) => ({ ok: true, token: JSON.stringify(request) }),
};

const issued = [
  [
    "/tokens/dataplane",
    {
      mesh: "default",
      name: "web-1",
      tags: { "kuma.io/service": ["web"] },
      type: "dataplane",
      workload: "web",
      validFor: "30m",
    },
    {
      mesh: "default",
      tags: { "kuma.io/service": ["web"] },
      type: "dataplane",
      validForMillis: 1_800_000,
      name: "web-1",
      workload: "web",
    },
  ],
  [
    "/tokens/dataplane",
    { mesh: "default", name: "", tags: null, type: "", workload: "", validFor: "" },
    { mesh: "default", tags: {}, type: "", validForMillis: 315_360_000_000 },
  ],
  [
    "/tokens/zone",
    { zone: "east", scope: ["cp"], validFor: "1h" },
    { zone: "east", scope: ["cp"], validForMillis: 3_600_000 },
  ],
  [
    "/tokens/user",
    { name: "jane", groups: ["dev"], validFor: "24h" },
    { name: "jane", groups: ["dev"], validForMillis: 86_400_000 },
  ],
] as const;

for (const [path, body, request] of issued) {
  test(`createApi() issues a token at ${path} for ${JSON.stringify(body)}`, async () => {
    await using api = await startApi({ tokens });
    const reply = await api.call("POST", path, { body });
    assert.equal(reply.status, 200, reply.text);
    assert.match(String(reply.headers["content-type"]), /^text\/plain/);
    assert.deepEqual(JSON.parse(reply.text), request);
  });
}

const refusedTokens = [
  ["/tokens/dataplane", {}, "mesh", "must be set"],
  ["/tokens/dataplane", { mesh: "default", validFor: "soon" }, "validFor", /duration such as "5s"/],
  ["/tokens/dataplane", { mesh: "default", tag: {} }, "tag", 'unknown field, did you mean "tags"?'],
  ["/tokens/zone", {}, "zone", "must be set"],
  ["/tokens/user", { name: "jane" }, "validFor", "must be set"],
  ["/tokens/user", { name: "jane", validFor: "0s" }, "validFor", "must be more than zero"],
  ["/tokens/user", { validFor: "1h" }, "name", "must be set"],
] as const;

for (const [path, body, field, reason] of refusedTokens) {
  test(`createApi() refuses ${JSON.stringify(body)} at ${path}`, async () => {
    await using api = await startApi({ tokens });
    const reply = await api.call("POST", path, { body });
    const [first] = reply.json()["invalid_parameters"] as { field: string; reason: string }[];
    assert.deepEqual([reply.status, first?.field], [400, field]);
    if (typeof reason === "string") assert.equal(first?.reason, reason);
    else assert.match(first?.reason ?? "", reason);
  });
}

test("createApi() issues no dataplane token for a mesh that is not there", async () => {
  await using api = await startApi({ tokens });
  const reply = await api.call("POST", "/tokens/dataplane", { body: { mesh: "defalt" } });
  const reason = 'there is no Mesh "defalt"; did you mean "default"?';
  assert.deepEqual([reply.status, reply.json()["invalid_parameters"]], [404, [{ field: "mesh", reason }]]);
});

test("createApi() answers as the issuer refuses, and 400 where there is none", async () => {
  await using api = await startApi({ tokens });
  await api.call("PUT", "/meshes/shop", { body: {} });
  const reply = await api.call("POST", "/tokens/dataplane", { body: { mesh: "shop" } });
  assert.deepEqual([reply.status, reply.json()["detail"]], [404, 'there is no signing key in mesh "shop"']);
  await using without = await startApi();
  assert.equal((await without.call("POST", "/tokens/dataplane", { body: { mesh: "default" } })).status, 400);
});

test("createApi() tells the observer the template of a path, never the path", async () => {
  const seen: [string, string, number][] = [];
  await using api = await startApi({ observe: ({ method, route, status }) => seen.push([method, route, status]) });
  await api.call("GET", "/meshes/default/dataplanes/web");
  await api.call("GET", "/nowhere/at/all");
  assert.deepEqual(seen, [
    ["GET", "/meshes/{mesh}/dataplanes/{name}", 404],
    ["GET", "unknown", 404],
  ]);
});

test("createApi() serves under a base path", async () => {
  await using api = await startApi({}, { basePath: "/mesh-api/" });
  assert.equal((await api.call("GET", "/mesh-api/")).status, 200);
  assert.equal((await api.call("GET", "/mesh-api/zones")).status, 200);
  assert.equal((await api.call("GET", "/zones")).status, 404);
});
