import assert from "node:assert/strict";
import { test } from "node:test";
import type { Inspect } from "./ports.ts";
import { fakePorts, SILENT_INSPECT } from "./testkit/fake-ports.ts";
import { proxyDocument, type RunningApi, startApi } from "./testkit/running-api.ts";

const inbound = { name: "8080", port: 8_080, tags: {} };
const kri = "kri_msvc_default_default__web_80";

async function withProxy(inspect: Partial<Inspect>, mode: "zone" | "global" = "zone"): Promise<RunningApi> {
  const { store, info } = await fakePorts();
  const proxy = proxyDocument("web-1");
  const spec = { networking: proxy["networking"] };
  await store.create({ type: "Dataplane", mesh: "default", name: "web-1", labels: { team: "red" }, spec });
  return startApi({ store, inspect: { ...SILENT_INSPECT, ...inspect }, info: { ...info, mode } });
}

test("createApi() answers _rules with the proxy and what the engine says of it", async () => {
  const report = {
    httpMatches: [],
    rules: [
      {
        type: "MeshTimeout",
        toResourceRules: [],
        inboundRules: [{ inbound, rules: [{ conf: [{ idleTimeout: "1s" }], origin: [] }] }],
        warnings: [],
      },
    ],
  };
  await using api = await withProxy({
    rules: async ({ mesh, name }) => (mesh + name === "defaultweb-1" ? report : undefined),
  });
  const meta = {
    type: "Dataplane",
    mesh: "default",
    name: "web-1",
    labels: { team: "red" },
    kri: "kri_dp_default___web-1_",
  };
  const answer = (await api.call("GET", "/meshes/default/dataplanes/web-1/_rules")).json();
  assert.deepEqual(answer, { resource: meta, ...report });
});

test("createApi() answers _layout with the proxy's KRI and labels", async () => {
  const report = { spiffeId: "spiffe://default/web", inbounds: [], outbounds: [], listeners: [] };
  await using api = await withProxy({ layout: async () => report });
  const answer = (await api.call("GET", "/meshes/default/dataplanes/web-1/_layout")).json();
  assert.deepEqual(answer, { kri: "kri_dp_default___web-1_", labels: { team: "red" }, ...report });
});

test("createApi() asks for _config with shadow and diff as the query says", async () => {
  const inspect: Partial<Inspect> = { config: async (_proxy, options) => ({ xds: { asked: options } }) };
  await using api = await withProxy(inspect);
  const ask = async (query: string) =>
    (await api.call("GET", `/meshes/default/dataplanes/web-1/_config${query}`)).json();
  assert.deepEqual(await ask(""), { xds: { asked: { shadow: false, includeDiff: false } } });
  assert.deepEqual(await ask("?shadow=true&include=diff"), { xds: { asked: { shadow: true, includeDiff: true } } });
});

test("createApi() answers _config at a global control plane with 405", async () => {
  await using api = await withProxy({ config: async () => ({ xds: {} }) }, "global");
  assert.equal((await api.call("GET", "/meshes/default/dataplanes/web-1/_config")).status, 405);
});

test("createApi() hands the KRIs of the path to the engine", async () => {
  const policies = [{ kind: "MeshTimeout", conf: { asked: "" }, origins: [] }];
  const say = (asked: string) => ({ policies: [{ kind: "MeshTimeout", conf: { asked }, origins: [] }] });
  await using api = await withProxy({
    policies: async () => ({ policies }),
    inboundPolicies: async (_proxy, asked) => ({ policies: [{ kind: asked, rules: [], origins: [] }] }),
    outboundPolicies: async (_proxy, asked) => say(asked),
    routes: async (_proxy, asked) => ({ routes: [{ kind: asked, origins: [], rules: [] }] }),
    routePolicies: async (_proxy, outbound, route) => say(`${outbound} ${route}`),
  });
  const get = async (path: string) => (await api.call("GET", `/meshes/default/dataplanes/web-1/${path}`)).json();
  assert.deepEqual(await get("_policies"), { policies });
  assert.deepEqual(await get(`_inbounds/${kri}/_policies`), { policies: [{ kind: kri, rules: [], origins: [] }] });
  assert.deepEqual(await get(`_outbounds/${kri}/_policies`), say(kri));
  assert.deepEqual(await get(`_outbounds/${kri}/_routes`), { routes: [{ kind: kri, origins: [], rules: [] }] });
  assert.deepEqual(await get(`_outbounds/${kri}/_routes/kri_mhttpr_x/_policies`), say(`${kri} kri_mhttpr_x`));
});

const paths = ["_rules", "_config", "_layout", "_policies", `_outbounds/${kri}/_routes`, "_access?from=api-1"];
for (const path of paths) {
  test(`createApi() answers ${path} with 404 when the engine knows nothing, or the proxy is not there`, async () => {
    await using api = await withProxy({});
    assert.equal((await api.call("GET", `/meshes/default/dataplanes/web-1/${path}`)).status, 404);
    assert.equal((await api.call("GET", `/meshes/default/dataplanes/nobody/${path}`)).status, 404);
  });
}

test("createApi() answers _access for the caller in the query, and asks for one without", async () => {
  const inspect: Partial<Inspect> = {
    access: async (_proxy, from) => ({
      inbounds: [
        { inbound: "8080", port: 8_080, decision: "deny", reason: `no rule allows ${from}`, origins: [], fix: "x" },
      ],
    }),
  };
  await using api = await withProxy(inspect);
  const path = "/meshes/default/dataplanes/web-1/_access";
  const answer = (await api.call("GET", `${path}?from=spiffe%3A%2F%2Fdefault%2Fapi`)).json();
  const [first] = answer["inbounds"] as { reason: string }[];
  assert.equal(first?.reason, "no rule allows spiffe://default/api");
  assert.equal((await api.call("GET", path)).status, 400);
});

test("createApi() answers _rejections from the insight", async () => {
  await using api = await withProxy({});
  const path = "/meshes/default/dataplanes/web-1/_rejections";
  assert.deepEqual((await api.call("GET", path)).json(), { items: [] });
  const rejections = [{ typeUrl: "x/Cluster", resources: ["web"], detail: "bad", time: "2026-01-01T00:00:00Z" }];
  const key = { type: "DataplaneInsight", mesh: "default", name: "web-1" };
  await api.ports.store.create({ ...key, labels: {}, spec: { rejections } });
  assert.deepEqual((await api.call("GET", path)).json(), { items: rejections });
});

test("createApi() hands live data of Envoy through, and says when the proxy is not connected", async () => {
  const inspect: Partial<Inspect> = {
    liveEnvoy: async (_proxy, what, query) =>
      what === "stats" ? { contentType: "text/plain", body: `${what} ${query.get("usedonly")}` } : undefined,
  };
  await using api = await withProxy(inspect);
  const stats = await api.call("GET", "/meshes/default/dataplanes/web-1/stats?usedonly=false");
  assert.deepEqual([stats.status, stats.text], [200, "stats false"]);
  assert.equal((await api.call("GET", "/meshes/default/dataplanes/web-1/clusters")).status, 503);
});

test("createApi() lists the proxies that a policy selects, by pages and in the old form", async () => {
  const inspect: Partial<Inspect> = {
    matchedDataplanes: async () => [
      { mesh: "default", name: "web-2" },
      { mesh: "default", name: "web-1" },
      { mesh: "default", name: "gone" },
    ],
  };
  await using api = await withProxy(inspect);
  await api.call("PUT", "/meshes/default/dataplanes/web-2", { body: proxyDocument("web-2") });
  await api.call("PUT", "/meshes/default/meshtimeouts/slow", { body: { spec: { to: [] } } });
  const path = "/meshes/default/meshtimeouts/slow";
  const page = (await api.call("GET", `${path}/_resources/dataplanes?name=web&size=1`)).json();
  assert.deepEqual([page["total"], (page["items"] as { name: string }[])[0]?.name], [2, "web-1"]);
  const second = (await api.call("GET", String(page["next"]).slice(api.url.length))).json();
  assert.deepEqual([(second["items"] as { name: string }[])[0]?.name, second["next"]], ["web-2", null]);
  const old = (await api.call("GET", `${path}/dataplanes`)).json();
  assert.equal(old["total"], 3);
});
