import assert from "node:assert/strict";
import { test } from "node:test";
import { type RunningApi, proxyDocument, startApi } from "./testkit/running-api.ts";

async function withProxies(names: readonly string[]): Promise<RunningApi> {
  const api = await startApi();
  for (const name of names) await api.call("PUT", `/meshes/default/dataplanes/${name}`, { body: proxyDocument(name) });
  return api;
}

function names(list: Record<string, unknown>): readonly string[] {
  return (list["items"] as { name: string }[]).map((item) => item.name);
}

test("createApi() pages a list with absolute links that keep every other parameter", async () => {
  await using api = await withProxies(["a-1", "a-2", "a-3", "a-4", "b-1"]);
  const seen: string[] = [];
  let path: string | undefined = "/meshes/default/dataplanes?size=2&name=a-";
  let pages = 0;
  while (path !== undefined) {
    const page: Record<string, unknown> = (await api.call("GET", path)).json();
    assert.equal(page["total"], 4);
    seen.push(...names(page));
    pages += 1;
    const next = page["next"] as string | null;
    if (next !== null) {
      assert.ok(next.startsWith(`${api.url}/meshes/default/dataplanes?`), next);
      assert.match(next, /size=2&name=a-&offset=/);
    }
    path = next?.slice(api.url.length);
  }
  assert.deepEqual([seen, pages], [["a-1", "a-2", "a-3", "a-4"], 2]);
});

test("createApi() gives an empty list as Kuma does", async () => {
  await using api = await startApi();
  const list = (await api.call("GET", "/meshes/default/dataplanes")).json();
  assert.deepEqual(list, { total: 0, items: [], next: null });
});

for (const size of ["0", "1001", "-1", "ten", "1e2", "99999999999"]) {
  test(`createApi() refuses size=${size}`, async () => {
    await using api = await startApi();
    const reply = await api.call("GET", `/zones?size=${size}`);
    const reason = `must be a number from 1 to 1000, not "${size}"`;
    assert.deepEqual([reply.status, reply.json()["invalid_parameters"]], [400, [{ field: "size", reason }]]);
  });
}

test("createApi() refuses an offset that no page gave", async () => {
  await using api = await startApi();
  const reply = await api.call("GET", "/zones?offset=__proto__");
  assert.deepEqual([reply.status, reply.json()["title"]], [400, "Could not retrieve resources"]);
});

test("createApi() filters by labels, all of them", async () => {
  await using api = await startApi();
  const put = (name: string, labels: object) =>
    api.call("PUT", `/meshes/default/dataplanes/${name}`, { body: proxyDocument(name, { labels }) });
  await put("a", { team: "red", tier: "1" });
  await put("b", { team: "red", tier: "2" });
  await put("c", { team: "blue" });
  const list = async (query: string) => names((await api.call("GET", `/meshes/default/dataplanes?${query}`)).json());
  assert.deepEqual(await list("filter[labels.team]=red"), ["a", "b"]);
  assert.deepEqual(await list("filter[labels.team]=red&filter[labels.tier]=2"), ["b"]);
  assert.deepEqual(await list("filter%5Blabels.kuma.io%2Fdisplay-name%5D=c"), ["c"]);
  assert.deepEqual(await list("filter[labels.team]=re"), []);
});

test("createApi() refuses other filters", async () => {
  await using api = await startApi();
  const reply = await api.call("GET", "/zones?filter[name]=x");
  const reason = "must be filter[labels.KEY]=VALUE; no other filter exists";
  assert.deepEqual([reply.status, reply.json()["invalid_parameters"]], [400, [{ field: "filter[name]", reason }]]);
});

test("createApi() filters proxies by tag and by gateway", async () => {
  await using api = await withProxies(["web-1", "web-2", "api-1"]);
  const networking = { address: "192.0.2.1", gateway: { tags: { "kuma.io/service": "edge" } } };
  await api.call("PUT", "/meshes/default/dataplanes/edge", { body: proxyDocument("edge", { networking }) });
  const list = async (query: string) => names((await api.call("GET", `/dataplanes?${query}`)).json());
  assert.deepEqual(await list("tag=kuma.io/service:web"), ["web-1", "web-2"]);
  assert.deepEqual(await list("tag=kuma.io/service:web&tag=kuma.io/service:-2"), ["web-2"]);
  assert.deepEqual(await list("tag=kuma.io/display-name:api-1"), ["api-1"]);
  assert.deepEqual(await list("tag=constructor:"), []);
  assert.deepEqual(await list("gateway=true"), ["edge"]);
  assert.deepEqual(await list("gateway=delegated"), ["edge"]);
  assert.deepEqual(await list("gateway=builtin"), []);
  assert.deepEqual(await list("gateway=false"), ["api-1", "web-1", "web-2"]);
  assert.equal((await api.call("GET", "/dataplanes?gateway=maybe")).status, 400);
});

test("createApi() lists a kind across meshes", async () => {
  await using api = await withProxies(["web-1"]);
  await api.call("PUT", "/meshes/shop", { body: {} });
  await api.call("PUT", "/meshes/shop/dataplanes/web-1", { body: proxyDocument("web-1", { mesh: "shop" }) });
  const items = (await api.call("GET", "/dataplanes")).json()["items"] as { mesh: string }[];
  assert.deepEqual(
    items.map((item) => item.mesh),
    ["default", "shop"],
  );
});

test("createApi() shows proxies with their insights, under the old paths too", async () => {
  await using api = await withProxies(["web-1", "web-2"]);
  const spec = { subscriptions: [{ id: "1", controlPlaneInstanceId: "cp", connectTime: "2026-01-01T00:00:00Z" }] };
  await api.ports.store.create({ type: "DataplaneInsight", mesh: "default", name: "web-1", labels: {}, spec });
  const one = (await api.call("GET", "/meshes/default/dataplanes/web-1/_overview")).json();
  assert.equal(one["type"], "DataplaneOverview");
  assert.deepEqual(one["dataplane"], { networking: proxyDocument("web-1")["networking"] });
  assert.deepEqual(one["dataplaneInsight"], spec);
  assert.deepEqual((await api.call("GET", "/meshes/default/dataplanes+insights/web-1")).json(), one);
  const without = (await api.call("GET", "/meshes/default/dataplanes/web-2/_overview")).json();
  assert.deepEqual(without["dataplaneInsight"], {});

  const lists = [
    "/meshes/default/dataplanes/_overview",
    "/dataplanes/_overview",
    "/meshes/default/dataplanes+insights",
    "/dataplanes+insights",
  ];
  for (const path of lists) {
    const page = (await api.call("GET", `${path}?size=1`)).json();
    assert.deepEqual([page["total"], names(page)], [2, ["web-1"]]);
    assert.deepEqual((page["items"] as unknown[])[0], one);
  }
});

test("createApi() shows zones with their insights", async () => {
  await using api = await startApi();
  await api.call("PUT", "/zones/east", { body: { enabled: true } });
  const page = (await api.call("GET", "/zones/_overview")).json();
  const [zone] = page["items"] as Record<string, unknown>[];
  assert.deepEqual([zone?.["type"], zone?.["zone"], zone?.["zoneInsight"]], ["ZoneOverview", { enabled: true }, {}]);
  assert.deepEqual((await api.call("GET", "/zones+insights/east")).json(), zone);
});

test("createApi() gives lists in Kubernetes form, and refuses other forms", async () => {
  await using api = await withProxies(["web-1"]);
  const page = (await api.call("GET", "/meshes/default/dataplanes?format=k8s")).json();
  assert.equal((page["items"] as { kind: string }[])[0]?.kind, "Dataplane");
  const reply = await api.call("GET", "/meshes/default/dataplanes?format=toml");
  const reason = 'must be universal or kubernetes, not "toml"';
  assert.deepEqual([reply.status, reply.json()["invalid_parameters"]], [400, [{ field: "format", reason }]]);
});

test("createApi() lists the proxies that serve a MeshService", async () => {
  await using api = await withProxies(["web-1", "web-2", "api-1"]);
  const put = (name: string, selector: object) =>
    api.call("PUT", `/meshes/default/meshservices/${name}`, { body: { spec: { selector, ports: [{ port: 80 }] } } });
  await put("by-name", { dataplaneRef: { name: "web-2" } });
  await put("by-labels", { dataplaneLabels: { matchLabels: { "kuma.io/display-name": "api-1" } } });
  await put("by-tags", { dataplaneTags: { version: "v1" } });
  const list = async (name: string, query = "") =>
    (await api.call("GET", `/meshes/default/meshservices/${name}/_dataplanes${query}`)).json();
  assert.deepEqual(names(await list("by-name")), ["web-2"]);
  assert.deepEqual(names(await list("by-labels")), ["api-1"]);
  assert.deepEqual(names(await list("by-tags")), ["api-1", "web-1", "web-2"]);
  const page = await list("by-tags", "?size=1&name=web");
  assert.deepEqual([page["total"], names(page)], [2, ["web-1"]]);
  const [meta] = (await list("by-name"))["items"] as Record<string, unknown>[];
  assert.deepEqual(Object.keys(meta ?? {}), ["type", "mesh", "name", "labels", "kri"]);
});

test("createApi() counts what there is in the global insight", async () => {
  await using api = await withProxies(["web-1", "web-2"]);
  const spec = { subscriptions: [{ id: "1", controlPlaneInstanceId: "cp", connectTime: "2026-01-01T00:00:00Z" }] };
  await api.ports.store.create({ type: "DataplaneInsight", mesh: "default", name: "web-1", labels: {}, spec });
  await api.call("PUT", "/meshes/default/meshtimeouts/slow", { body: { spec: { to: [] } } });
  const insight = (await api.call("GET", "/global-insight")).json();
  const { standard } = insight["dataplanes"] as { standard: object };
  const { internal } = insight["services"] as { internal: object };
  assert.deepEqual(standard, { online: 1, offline: 1, partiallyDegraded: 0, total: 2 });
  assert.deepEqual(internal, { online: 1, offline: 1, partiallyDegraded: 0, total: 2 });
  assert.deepEqual([insight["meshes"], insight["policies"]], [{ total: 1 }, { total: 1 }]);
  assert.deepEqual((insight["resources"] as Record<string, unknown>)["Dataplane"], { total: 2 });
});
