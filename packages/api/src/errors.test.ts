import assert from "node:assert/strict";
import { test } from "node:test";
import { StoreError } from "@heddle/model/store.ts";
import { openMemoryStore } from "@heddle/store/memory.ts";
import { proxyDocument, startApi } from "./testkit/running-api.ts";

test("createApi() names every mistake of a resource in Kuma's error body", async () => {
  await using api = await startApi();
  const networking = { address: "192.0.2.1", inbound: [{ port: 0, sevicePort: 80 }] };
  const reply = await api.call("PUT", "/meshes/default/dataplanes/web", {
    body: { ...proxyDocument("wob"), networking },
  });
  assert.equal(reply.status, 400);
  const parameters = [
    { field: "name", reason: 'must be "web" as in the URL, not "wob"' },
    { field: "networking.inbound[0].port", reason: "must be at least 1, not 0" },
    { field: "networking.inbound[0].sevicePort", reason: 'unknown field, did you mean "servicePort"?' },
  ];
  assert.deepEqual(reply.json(), {
    type: "/std-errors",
    status: 400,
    title: "Could not process a resource",
    detail: "Resource is not valid",
    invalid_parameters: parameters,
    details: "Resource is not valid",
    causes: parameters.map(({ field, reason }) => ({ field, message: reason })),
  });
});

test("createApi() says in Kuma's words that a resource is not found, and which one is near", async () => {
  await using api = await startApi();
  await api.call("PUT", "/meshes/default/dataplanes/web-01", { body: proxyDocument("web-01") });
  const reply = await api.call("GET", "/meshes/default/dataplanes/web01");
  const message = 'there is no Dataplane "web01" in mesh "default"; did you mean "web-01"?';
  assert.deepEqual(reply.json(), {
    type: "/std-errors",
    status: 404,
    title: "Could not retrieve a resource",
    detail: "Not found",
    invalid_parameters: [{ field: "name", reason: message }],
    details: "Not found",
    causes: [{ field: "name", message }],
  });
});

const missingMesh = [
  ["GET", "/meshes/defualt/dataplanes"],
  ["GET", "/meshes/defualt/dataplanes/web"],
  ["PUT", "/meshes/defualt/dataplanes/web"],
  ["DELETE", "/meshes/defualt/dataplanes/web"],
  ["GET", "/meshes/defualt/dataplanes/web/_rules"],
  ["GET", "/meshes/defualt/dataplanes/_overview"],
] as const;

for (const [method, path] of missingMesh) {
  test(`createApi() answers ${method} ${path} with 404 and the mesh that was meant`, async () => {
    await using api = await startApi();
    const body = method === "PUT" ? { body: proxyDocument("web", { mesh: "defualt" }) } : {};
    const reply = await api.call(method, path, body);
    assert.equal(reply.status, 404);
    assert.deepEqual(reply.json()["invalid_parameters"], [
      { field: "mesh", reason: 'there is no Mesh "defualt"; did you mean "default"?' },
    ]);
  });
}

const badRequests = [
  [
    "a type that is not the path's",
    { type: "Mesh", name: "web" },
    "type",
    'must be "Dataplane" as in the URL, not "Mesh"',
  ],
  [
    "a mesh that is not the path's",
    proxyDocument("web", { mesh: "shop" }),
    "mesh",
    'must be "default" as in the URL, not "shop"',
  ],
  ["a list", [1, 2], "", "must be an object with type, name and fields"],
  [
    "a label of the control plane with another value",
    proxyDocument("web", { labels: { "kuma.io/origin": "global" } }),
    "labels[kuma.io/origin]",
    'must be "zone" or unset: the control plane sets this label',
  ],
  [
    "an unknown effect",
    proxyDocument("web", { labels: { "kuma.io/effect": "none" } }),
    "labels[kuma.io/effect]",
    'must be "shadow" or unset, not "none"',
  ],
  [
    "a workload that is no DNS label",
    proxyDocument("web", { labels: { "kuma.io/workload": "Web_1" } }),
    "labels[kuma.io/workload]",
    "must start with a letter and hold at most 63 lower-case letters, digits and '-' (RFC 1035)",
  ],
] as const;

for (const [what, body, field, reason] of badRequests) {
  test(`createApi() refuses ${what}`, async () => {
    await using api = await startApi();
    const reply = await api.call("PUT", "/meshes/default/dataplanes/web", { body });
    assert.deepEqual([reply.status, reply.json()["invalid_parameters"]], [400, [{ field, reason }]]);
  });
}

test("createApi() shows where JSON breaks", async () => {
  await using api = await startApi();
  const reply = await api.call("PUT", "/zones/east", { body: '{"type": "Zone",\n "name" "east"}' });
  assert.equal(reply.status, 400);
  assert.equal(reply.json()["title"], "Could not process a resource");
  assert.match(String(reply.json()["detail"]), /^Cannot read the body as JSON: Expected ':'.* \(line 2 column 9\)$/);
});

test("createApi() shows where YAML breaks", async () => {
  await using api = await startApi();
  const headers = { "content-type": "application/yaml" };
  const reply = await api.call("PUT", "/zones/east", { body: "type: Zone\nname: [east\n", headers });
  assert.equal(reply.status, 400);
  assert.match(String(reply.json()["detail"]), /^Cannot read the body as YAML: .* at line \d+, column \d+$/);
});

test("createApi() asks for a body where there is none", async () => {
  await using api = await startApi();
  const reply = await api.call("PUT", "/zones/east");
  assert.deepEqual(
    [reply.status, reply.json()["detail"]],
    [400, "Cannot read the body: it is empty; send the Zone as JSON"],
  );
});

test("createApi() refuses other media types with 415", async () => {
  await using api = await startApi();
  for (const type of ["application/x-www-form-urlencoded", "text/plain"]) {
    const reply = await api.call("PUT", "/zones/east", { body: "{}", headers: { "content-type": type } });
    assert.equal(reply.status, 415);
    assert.match(String(reply.json()["detail"]), /send it as application\/json or application\/yaml/);
  }
});

test("createApi() refuses a body over the limit with 413", async () => {
  await using api = await startApi();
  const body = { type: "Secret", name: "big", mesh: "default", data: "A".repeat(1_048_576) };
  const reply = await api.call("PUT", "/meshes/default/secrets/big", { body });
  assert.deepEqual([reply.status, reply.json()["title"]], [413, "Could not process a resource"]);
  const yaml = { body: `data: ${"A".repeat(70_000)}`, headers: { "content-type": "application/yaml" } };
  assert.equal((await api.call("PUT", "/meshes/default/secrets/big", yaml)).status, 413);
});

test("createApi() suggests the nearest path for one that does not exist", async () => {
  await using api = await startApi();
  const reply = await api.call("GET", "/meshes/default/dataplane/web");
  const detail =
    'Cannot GET "/meshes/default/dataplane/web": there is no such path; did you mean "/meshes/default/dataplanes/web"?';
  assert.deepEqual(reply.json(), { type: "/std-errors", status: 404, title: "Not Found", detail, details: detail });
  const far = (await api.call("GET", "/completely/elsewhere")).json();
  assert.match(String(far["detail"]), /all paths are listed at \/openapi\.json$/);
});

test("createApi() answers 405 with the methods that a path takes", async () => {
  await using api = await startApi();
  const reply = await api.call("POST", "/meshes/default", { body: {} });
  assert.deepEqual([reply.status, reply.headers["allow"]], [405, "DELETE, GET, PUT"]);
  assert.equal(reply.json()["detail"], 'Cannot POST "/meshes/default": this path takes DELETE, GET, PUT only');
});

test("createApi() answers 400 for a path that is not percent-encoding", async () => {
  await using api = await startApi();
  const reply = await api.call("GET", "/zones/%zz");
  assert.deepEqual([reply.status, reply.json()["type"]], [400, "/std-errors"]);
});

const readOnly = [
  [
    "an insight",
    {},
    {},
    "/meshes/default/dataplane-insights/web",
    "Data Plane Insights are written by the control plane only",
  ],
  [
    "anything when the API is read-only",
    {},
    { readOnly: true },
    "/zones/east",
    "apiServer.readOnly is true; write where the resources are kept, or set it to false",
  ],
  [
    "a proxy at a global control plane",
    { mode: "global" },
    {},
    "/meshes/default/dataplanes/web",
    "a Dataplane belongs to a zone; write it at the control plane of that zone",
  ],
  [
    "a mesh in a federated zone",
    { federated: true },
    {},
    "/meshes/shop",
    "a Mesh comes from the global control plane; write it there",
  ],
] as const;

for (const [what, info, settings, path, reason] of readOnly) {
  test(`createApi() refuses to write ${what} with 405, before it complains about the body`, async () => {
    await using api = await startApi({}, settings);
    await using place = await startApi({ info: { ...api.ports.info, ...info } }, settings);
    for (const method of ["PUT", "DELETE"]) {
      const reply = await place.call(method, path, { body: { nonsense: true } });
      assert.deepEqual([reply.status, reply.json()["detail"]], [405, `Cannot write here: ${reason}`]);
    }
  });
}

test("createApi() tells nobody but the log what broke inside", async () => {
  const failures: unknown[] = [];
  const ports = {
    config: () => {
      throw new Error("password is hunter2");
    },
    reportFailure: (message: string, cause: unknown) => failures.push([message, String(cause)]),
  };
  await using api = await startApi(ports);
  const reply = await api.call("GET", "/config");
  assert.deepEqual([reply.status, reply.json()["detail"]], [500, "Internal Server Error"]);
  assert.deepEqual(failures, [["Cannot answer GET /config", "Error: password is hunter2"]]);
});

test("createApi() answers 503 while the store is away", async () => {
  const store = openMemoryStore();
  await using api = await startApi({ store });
  store.list = async () => {
    throw new StoreError("unavailable", 'Cannot read "Zone": the store does not answer');
  };
  assert.equal((await api.call("GET", "/zones")).status, 503);
});

test("createApi() tells which type of Kuma it does not serve, instead of guessing another", async () => {
  await using api = await startApi();
  for (const path of [
    "/meshes/default/virtual-outbounds/slow",
    "/meshes/default/virtual-outbounds",
    "/virtual-outbounds",
  ]) {
    const reply = await api.call("PUT", path, { body: { type: "VirtualOutbound" } });
    assert.equal(reply.status, 404);
    assert.match(String(reply.json()["detail"]), /VirtualOutbound of Kuma is not served here/);
  }
  const own = await api.call("GET", "/meshes/default/meshtimeout");
  assert.match(String(own.json()["detail"]), /did you mean "\/meshes\/default\/meshtimeouts"/);
});
