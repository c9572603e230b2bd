import assert from "node:assert/strict";
import { test } from "node:test";
import { startFake, type Script } from "../../testkit/fake-control-plane.ts";
import { runHere } from "../../testkit/run-line.ts";

const REJECTION = {
  typeUrl: "type.googleapis.com/envoy.config.cluster.v3.Cluster",
  resources: ["api"],
  detail: "no",
  time: "2026-01-01T00:00:00Z",
};
const WEB = {
  mesh: "default",
  name: "web-1",
  dataplane: { networking: { address: "10.0.0.1", inbound: [{ port: 80 }] } },
  dataplaneInsight: { subscriptions: [{ connectTime: "2026-01-01T00:00:00Z" }], rejections: [REJECTION] },
};
const AT = "/meshes/default/dataplanes/web-1";
const SCRIPT: Script = {
  "GET /meshes/default/dataplanes/_overview": { body: { total: 1, items: [WEB], next: null } },
  "GET /dataplanes/_overview": { body: { total: 0, items: [], next: null } },
  "GET /zones/_overview": { body: { total: 0, items: [], next: null } },
  "GET /mesh-insights": {
    body: { total: 1, items: [{ name: "default", mTLS: { warnings: ["vault-1 cannot sign"] } }], next: null },
  },
  "GET /meshes": { body: { total: 1, items: [{ type: "Mesh", name: "default" }], next: null } },
  [`GET ${AT}/_overview`]: { body: WEB },
  [`GET ${AT}/_rules`]: { body: { rules: [{ type: "MeshTimeout", proxyRule: { conf: { a: 1 }, origin: [] } }] } },
  [`GET ${AT}/_config`]: { body: { xds: { listeners: [] } } },
  [`GET ${AT}/xds`]: { body: { configs: [] } },
  [`GET ${AT}/stats`]: { body: "a: 1\nb: 2\n" },
  [`GET ${AT}/clusters`]: { body: "api::added\n" },
  [`GET ${AT}/_layout`]: {
    body: { inbounds: [{ kri: "kri_dp_default___web-1_main" }], outbounds: [{ kri: "kri_msvc_default___api_http" }] },
  },
  [`GET ${AT}/_policies`]: { body: { policies: [] } },
  [`GET ${AT}/_inbounds/kri_dp_default___web-1_main/_policies`]: {
    body: {
      policies: [{ kind: "MeshTrafficPermission", rules: [{ conf: { allow: [] } }], origins: [{ kri: "kri_mtp_x" }] }],
    },
  },
  [`GET ${AT}/_outbounds/kri_msvc_default___api_http/_policies`]: {
    body: { policies: [{ kind: "MeshTimeout", conf: { idle: "1s" }, origins: [{ kri: "kri_mt_y" }] }] },
  },
  [`GET ${AT}/_access`]: ({ query }) => ({
    body: {
      inbounds: [
        { inbound: "main", port: 80, decision: "deny", reason: `nothing allows ${query.get("from")}`, origins: [] },
      ],
    },
  }),
  "GET /meshes/default/meshtimeouts/slow": {
    body: { type: "MeshTimeout", mesh: "default", name: "slow", spec: {} },
  },
  "GET /meshes/default/meshtimeouts/slow/_resources/dataplanes": {
    body: { total: 1, items: [{ type: "Dataplane", mesh: "default", name: "web-1" }] },
  },
  "GET /meshes/default/meshservices/api/_dataplanes": { body: { total: 0, items: [] } },
};

async function inspect(...words: readonly string[]) {
  await using fake = await startFake(SCRIPT);
  const outcome = await runHere(["inspect", ...words], { env: { HEDDLE_ADDRESS: fake.address } });
  return { ...outcome, calls: [...fake.calls] };
}

test("inspect dataplanes shows who is connected and who refuses, and where to look", async () => {
  const { code, stdout, stderr } = await inspect("dataplanes");
  assert.equal(code, 0);
  assert.match(
    stdout,
    /^MESH +NAME +STATUS +CONNECTED +UPDATED +REFUSED +CERT EXPIRES +ENVOY\ndefault +web-1 +Online .*yes \(1\)/,
  );
  assert.equal(stderr, "See what a proxy refuses: heddle inspect dataplane web-1 --mesh default\n");
});

test("inspect dataplanes sends tags as the API writes them, and says what to do when there are none", async () => {
  const { stderr, calls } = await inspect("dataplanes", "-A", "--tag", "kuma.io/service=web", "--gateway");
  assert.deepEqual([calls[0]?.query.getAll("tag"), calls[0]?.query.get("gateway")], [["kuma.io/service:web"], "true"]);
  assert.match(stderr, /There are no proxies yet; run one beside a service: heddle dp run/);
});

const views = [
  ["summary", /^Dataplane default\/web-1: Online\n[\s\S]*NACK default\/web-1/],
  ["rules", /^MeshTimeout\n {2}whole proxy\n {4}a: 1/],
  ["config", /^xds:\n {2}listeners: \[\]/],
  ["config-dump", /^configs: \[\]/],
  ["stats", /^a: 1\nb: 2\n$/],
  ["clusters", /^api::added\n$/],
  [
    "policies",
    /^kri_dp_default___web-1_main\n {2}MeshTrafficPermission\n[\s\S]*from kri_mtp_x\n\nkri_msvc_default___api_http\n {2}MeshTimeout\n {4}idle: 1s/,
  ],
] as const;
for (const [view, expected] of views) {
  test(`inspect dataplane --type ${view} shows it`, async () => {
    const { code, stdout, stderr } = await inspect("dataplane", "web-1", "--type", view);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, expected);
  });
}

test("inspect dataplane asks for shadow policies and the difference they make", async () => {
  const { calls, stdout } = await inspect(
    "dataplane",
    "web-1",
    "--type",
    "config",
    "--shadow",
    "--include",
    "diff",
    "-o",
    "json",
  );
  assert.deepEqual(
    [...(calls[0]?.query ?? [])],
    [
      ["shadow", "true"],
      ["include", "diff"],
    ],
  );
  assert.deepEqual(JSON.parse(stdout), { xds: { listeners: [] } });
  assert.equal((await inspect("dataplane", "web-1", "--shadow")).code, 2);
});

test("inspect rules is the same as inspect dataplane --type rules", async () => {
  assert.equal(
    (await inspect("rules", "web-1")).stdout,
    (await inspect("dataplane", "web-1", "--type", "rules")).stdout,
  );
});

test("inspect TYPE NAME and inspect policy TYPE NAME show the proxies that a policy reaches", async () => {
  for (const words of [
    ["meshtimeout", "slow"],
    ["policy", "mt", "slow"],
  ]) {
    assert.match((await inspect(...words)).stdout, /^MESH +DATAPLANE\ndefault +web-1\n$/);
  }
  assert.equal((await inspect("meshtimeout", "slow", "-o", "name")).stdout, "dataplanes/web-1\n");
  assert.match((await inspect("meshservice", "api")).stderr, /MeshService default\/api reaches no proxy/);
});

test("inspect suggests its own commands and the types there are", async () => {
  const typed = [
    ["dataplnes", /heddle inspect dataplanes/],
    ["meshtimeot", /Did you mean "meshtimeout"/],
    ["mesh", /Cannot inspect Mesh: it is no policy/],
    ["meshtimeout", /no name is given\n.*heddle get meshtimeouts/],
  ] as const;
  for (const [word, expected] of typed) {
    const { code, stderr } = await inspect(word);
    assert.equal(code, 2);
    assert.match(stderr, expected);
  }
});

test("inspect alone shows its help, as wrong usage", async () => {
  const { code, stderr } = await inspect();
  assert.equal(code, 2);
  assert.match(stderr, /Usage: heddle inspect/);
});

test("inspect access tells the decision and why", async () => {
  const { code, stdout } = await inspect("access", "--from", "api-1", "--to", "web-1");
  assert.deepEqual([code, stdout], [0, "api-1 -> web-1 main (port 80): denied\n  why     nothing allows api-1\n"]);
  assert.equal((await inspect("access", "--from", "a")).code, 2);
});

test("inspect meshes and zones show what there is", async () => {
  const meshes = await inspect("meshes");
  assert.match(meshes.stdout, /^NAME +MTLS +PROXIES .*\ndefault +- +0 .*\n\n! default: vault-1 cannot sign\n$/);
  assert.match((await inspect("zones")).stderr, /There are no zones/);
});
