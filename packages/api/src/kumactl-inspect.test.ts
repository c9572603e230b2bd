import assert from "node:assert/strict";
import { test } from "node:test";
import type { Inspect } from "./ports.ts";
import { SILENT_INSPECT } from "./testkit/fake-ports.ts";
import { proxyDocument, type RunningApi, startApi } from "./testkit/running-api.ts";

/** Two proxies of one service, one of them connected, and a gateway. */
async function withServices(inspect: Partial<Inspect> = {}): Promise<RunningApi> {
  const api = await startApi({ inspect: { ...SILENT_INSPECT, ...inspect } });
  const inbound = [{ port: 8_080, tags: { "kuma.io/service": "web" } }];
  for (const name of ["web-1", "web-2"]) {
    const body = proxyDocument(name, { networking: { address: "192.0.2.1", inbound } });
    await api.call("PUT", `/meshes/default/dataplanes/${name}`, { body });
  }
  const gateway = { type: "DELEGATED", tags: { "kuma.io/service": "edge" } };
  const edge = proxyDocument("edge-1", { networking: { address: "192.0.2.2", gateway } });
  await api.call("PUT", "/meshes/default/dataplanes/edge-1", { body: edge });
  await api.ports.store.create({
    type: "DataplaneInsight",
    mesh: "default",
    name: "web-1",
    labels: {},
    spec: {
      subscriptions: [
        {
          id: "1",
          controlPlaneInstanceId: "cp",
          connectTime: "2026-01-01T00:00:00Z",
          version: { kumaDp: { version: "2.14.3" }, envoy: { version: "1.37.0" } },
        },
      ],
      mTLS: { issuedBackend: "ca-1", supportedBackends: ["ca-1"] },
    },
  });
  return api;
}

const all = (online: number, total: number): object => ({
  online,
  offline: total - online,
  partiallyDegraded: 0,
  total,
});

test("createApi() counts a mesh as a MeshInsight, in the list and alone", async () => {
  await using api = await withServices();
  await api.call("PUT", "/meshes/other", { body: {} });
  await api.call("PUT", "/meshes/default/meshtimeouts/slow", { body: { spec: { to: [] } } });
  const one = (await api.call("GET", "/mesh-insights/default")).json();
  const { type, name, dataplanes, policies, dpVersions, mTLS, services, dataplanesByType } = one;
  assert.deepEqual([type, name, dataplanes], ["MeshInsight", "default", all(1, 3)]);
  assert.deepEqual((policies as Record<string, unknown>)["MeshTimeout"], { total: 1 });
  assert.deepEqual(dpVersions, {
    kumaDp: { "2.14.3": all(1, 1), unknown: all(0, 2) },
    envoy: { "1.37.0": all(1, 1), unknown: all(0, 2) },
  });
  assert.deepEqual(mTLS, { issuedBackends: { "ca-1": all(1, 1) }, supportedBackends: { "ca-1": all(1, 1) } });
  assert.deepEqual(services, { total: 2, internal: 2, external: 0 });
  assert.deepEqual((dataplanesByType as Record<string, unknown>)["gatewayDelegated"], all(0, 1));

  const list = (await api.call("GET", "/mesh-insights")).json() as { items: { name: string; dataplanes: object }[] };
  assert.deepEqual(
    list.items.map((each) => [each.name, each.dataplanes]),
    [
      ["default", all(1, 3)],
      ["other", all(0, 0)],
    ],
  );
  assert.equal((await api.call("GET", "/mesh-insights/missing")).status, 404);
});

test("createApi() lists the services of a mesh with the states of their proxies", async () => {
  await using api = await withServices();
  const path = "/meshes/default/service-insights";
  const { total, items } = (await api.call("GET", path)).json() as { total: number; items: Record<string, unknown>[] };
  assert.equal(total, 2);
  assert.deepEqual(
    items.map(({ name, status, serviceType, dataplanes, issuedBackends }) => ({
      name,
      status,
      serviceType,
      dataplanes,
      issuedBackends,
    })),
    [
      {
        name: "edge",
        status: "offline",
        serviceType: "gateway_delegated",
        dataplanes: { total: 1, online: 0, offline: 1 },
        issuedBackends: {},
      },
      {
        name: "web",
        status: "partially_degraded",
        serviceType: "internal",
        dataplanes: { total: 2, online: 1, offline: 1 },
        issuedBackends: { "ca-1": 1 },
      },
    ],
  );
  assert.equal((await api.call("GET", `${path}/web`)).json()["status"], "partially_degraded");
  assert.equal((await api.call("GET", `${path}?type=gateway_delegated,external`)).json()["total"], 1);
  assert.equal((await api.call("GET", `${path}?type=wrong`)).status, 400);
  assert.equal((await api.call("GET", `${path}/missing`)).status, 404);
  assert.equal((await api.call("GET", "/meshes/missing/service-insights")).status, 404);
});

test("createApi() lists the policies of a proxy once each, as kumactl 2.x reads them", async () => {
  const meta = (name: string) => ({ type: "MeshTimeout", mesh: "default", name, labels: {} });
  const rule = { conf: [], origin: [{ resourceMeta: meta("slow") }] };
  const timeout = {
    type: "MeshTimeout",
    toResourceRules: [{ ...rule, resourceMeta: meta("web") }],
    inboundRules: [{ inbound: { port: 80, tags: {} }, rules: [rule] }],
    toRules: [{ matchers: [], conf: {}, origin: [meta("fast")] }],
    warnings: [],
  };
  const silent = { type: "MeshRetry", toResourceRules: [], inboundRules: [], warnings: [] };
  await using api = await withServices({ rules: async () => ({ httpMatches: [], rules: [timeout, silent] }) });
  const matchedPolicies = { MeshTimeout: [meta("fast"), meta("slow")] };
  assert.deepEqual((await api.call("GET", "/meshes/default/dataplanes/web-1/policies")).json(), {
    kind: "SidecarDataplane",
    total: 1,
    items: [{ type: "dataplane", name: "", service: "", matchedPolicies }],
  });
  assert.equal((await api.call("GET", "/meshes/default/dataplanes/missing/policies")).status, 404);
});

test("createApi() answers the spelling of matched dataplanes that kumactl 2.x has with --new-api", async () => {
  await using api = await withServices({ matchedDataplanes: async () => [{ mesh: "default", name: "web-1" }] });
  await api.call("PUT", "/meshes/default/meshtimeouts/slow", { body: { spec: { to: [] } } });
  const ask = async (segment: string) =>
    (await api.call("GET", `/meshes/default/meshtimeouts/slow/${segment}/dataplanes`)).json();
  assert.deepEqual(await ask("-resources"), await ask("_resources"));
  assert.equal((await ask("-resources"))["total"], 1);
});
