import assert from "node:assert/strict";
import { test } from "node:test";
import type { Resource } from "@heddle/model/resource.ts";
import type { Store } from "@heddle/model/store.ts";
import { openMemoryStore } from "@heddle/store/memory.ts";
import { ServiceStatus } from "./service-status.ts";

interface Status {
  readonly vips?: readonly { readonly ip: string }[];
  readonly vip?: { readonly ip: string };
  readonly addresses?: readonly { readonly hostname: string }[];
  readonly meshServices?: readonly object[];
  readonly conditions?: readonly { readonly reason: string }[];
}

function statusOf(resource: Resource | undefined): Status {
  return (resource?.status ?? {}) as Status;
}

async function generators(store: Store): Promise<void> {
  const spec = { selector: { meshService: {} }, template: "{{ .DisplayName }}.svc.mesh.local" };
  await store.create({ type: "HostnameGenerator", mesh: "", name: "local", labels: {}, spec });
}

async function create(store: Store, type: string, name: string, spec: object, labels = {}): Promise<void> {
  await store.create({ type, mesh: "default", name, labels, spec });
}

/** Looks once at everything, and ends. */
async function look(store: Store): Promise<void> {
  const failures: string[] = [];
  const status = new ServiceStatus({ store, zone: "east", onFailure: (message) => failures.push(message) });
  status.notice("MeshService");
  await status.settled();
  assert.deepEqual(failures, []);
}

test("services get addresses, names and members, once", async () => {
  await using store = openMemoryStore();
  await generators(store);
  await create(store, "MeshService", "a", {}, { app: "shop" });
  await create(store, "MeshExternalService", "outside", { match: { port: 80 } });
  const selector = { meshService: { matchLabels: { app: "shop" } } };
  await create(store, "MeshMultiZoneService", "both", { selector, ports: [{ port: 80 }] });
  await look(store);
  const read = async (type: string, name: string) => statusOf(await store.get({ type, mesh: "default", name }));
  const service = await read("MeshService", "a");
  assert.match(service.vips?.[0]?.ip ?? "", /^241\./);
  assert.equal(service.addresses?.[0]?.hostname, "a.svc.mesh.local");
  assert.match((await read("MeshExternalService", "outside")).vip?.ip ?? "", /^242\./);
  const both = await read("MeshMultiZoneService", "both");
  assert.match(both.vips?.[0]?.ip ?? "", /^243\./);
  assert.deepEqual(both.meshServices, [{ name: "a", namespace: "", zone: "", mesh: "default" }]);
  assert.equal(both.conditions?.[0]?.reason, "MatchesFound");

  const revision = await store.revision();
  await look(store);
  assert.equal(await store.revision(), revision, "a second look writes nothing");
});

test("a thousand services get their addresses in a moment, and keep them when a generator comes", async () => {
  await using store = openMemoryStore();
  const names = Array.from({ length: 1_000 }, (_, index) => `s${index}`);
  for (const name of names) await create(store, "MeshService", name, {});
  await look(store);
  const vipsOf = async (): Promise<readonly string[]> =>
    (await store.list({ type: "MeshService" })).items.map((each) => statusOf(each).vips?.[0]?.ip ?? "");
  const before = await vipsOf();
  assert.equal(new Set(before).size, 1_000);
  await generators(store);
  await look(store);
  assert.deepEqual(await vipsOf(), before);
  const { items } = await store.list({ type: "MeshService" });
  assert.ok(items.every((each) => statusOf(each).addresses?.length === 1));
});
