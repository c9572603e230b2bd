import type { KindRegistry } from "@heddle/model/kind.ts";
import { type DataplaneInsightSpec, isOnline } from "@heddle/model/kinds/dataplane-insight.ts";
import { type DataplaneSpec, tagSets } from "@heddle/model/kinds/dataplane.ts";
import { LABEL } from "@heddle/model/labels.ts";
import { keyText, type Resource } from "@heddle/model/resource.ts";
import type { Reader } from "../ports.ts";
import { everything } from "./everything.ts";
import { type ProxyStatus, proxyStatus } from "./proxy-status.ts";

/** How many, and how many of them in which state. */
export interface Counts {
  readonly online: number;
  readonly offline: number;
  readonly partiallyDegraded: number;
  readonly total: number;
}

/** Kuma's `/global-insight`: the state of the whole installation in numbers. */
export async function globalInsight(read: Reader, kinds: KindRegistry, now: Date): Promise<object> {
  const totals = await totalsByType(read, kinds);
  const proxies = await proxyStates(read);
  const zones = await zoneCounts(read, totals.get("Zone") ?? 0);
  const policies = kinds.all.filter((kind) => kind.policy !== undefined);
  const none = { online: 0, total: 0 };
  return {
    createdAt: now.toISOString(),
    meshes: { total: totals.get("Mesh") ?? 0 },
    zones: { controlPlanes: zones, zoneIngresses: none, zoneEgresses: none },
    dataplanes: {
      standard: counts(proxies.filter((proxy) => proxy.gateway === undefined)),
      gatewayBuiltin: counts(proxies.filter((proxy) => proxy.gateway === "BUILTIN")),
      gatewayDelegated: counts(proxies.filter((proxy) => proxy.gateway === "DELEGATED")),
    },
    policies: { total: policies.reduce((sum, kind) => sum + (totals.get(kind.type) ?? 0), 0) },
    resources: Object.fromEntries([...totals].map(([type, total]) => [type, { total }])),
    services: {
      internal: counts(services(proxies.filter((proxy) => proxy.gateway === undefined))),
      external: { total: totals.get("MeshExternalService") ?? 0 },
      gatewayBuiltin: counts(services(proxies.filter((proxy) => proxy.gateway === "BUILTIN"))),
      gatewayDelegated: counts(services(proxies.filter((proxy) => proxy.gateway === "DELEGATED"))),
    },
  };
}

interface ProxyState {
  readonly status: ProxyStatus;
  readonly gateway: "BUILTIN" | "DELEGATED" | undefined;
  /** `mesh/service` for each service it serves. */
  readonly services: readonly string[];
}

async function totalsByType(read: Reader, kinds: KindRegistry): Promise<ReadonlyMap<string, number>> {
  const entries = kinds.all
    .filter((kind) => !kind.secret && !kind.readOnly)
    .map(async ({ type }): Promise<[string, number]> => [type, (await read.list({ type, size: 1 })).total]);
  return new Map(await Promise.all(entries));
}

async function proxyStates(read: Reader): Promise<readonly ProxyState[]> {
  const insights = new Map<string, DataplaneInsightSpec>();
  for await (const { mesh, name, spec } of everything(read, "DataplaneInsight")) {
    insights.set(keyText({ type: "Dataplane", mesh, name }), spec as DataplaneInsightSpec);
  }
  const states: ProxyState[] = [];
  for await (const proxy of everything(read, "Dataplane")) states.push(stateOf(proxy, insights.get(keyText(proxy))));
  return states;
}

function stateOf(proxy: Resource, insight: DataplaneInsightSpec | undefined): ProxyState {
  const spec = proxy.spec as DataplaneSpec;
  const { gateway } = spec.networking;
  const names = tagSets(spec).flatMap((tags) => tags[LABEL.service] ?? []);
  // Kuma 3.x has no tags; there the workload says what runs beside the proxy.
  const served = names.length > 0 ? names : [proxy.labels[LABEL.workload]].filter((name) => name !== undefined);
  return {
    status: proxyStatus(spec, insight),
    gateway: gateway === undefined ? undefined : (gateway.type ?? "DELEGATED"),
    services: [...new Set(served)].map((name) => `${proxy.mesh}/${name}`),
  };
}

/** A service is online when all its proxies are, offline when none is, degraded in between. */
function services(proxies: readonly ProxyState[]): readonly { readonly status: ProxyStatus }[] {
  const groups = new Map<string, ProxyStatus[]>();
  for (const proxy of proxies) {
    for (const name of proxy.services) {
      const group = groups.get(name) ?? [];
      group.push(proxy.status);
      groups.set(name, group);
    }
  }
  return [...groups.values()].map((states) => {
    if (states.every((status) => status === "online")) return { status: "online" };
    return { status: states.every((status) => status === "offline") ? "offline" : "partiallyDegraded" };
  });
}

function counts(all: readonly { readonly status: ProxyStatus }[]): Counts {
  const of = (status: ProxyStatus): number => all.filter((each) => each.status === status).length;
  return {
    online: of("online"),
    offline: of("offline"),
    partiallyDegraded: of("partiallyDegraded"),
    total: all.length,
  };
}

async function zoneCounts(read: Reader, total: number): Promise<{ online: number; total: number }> {
  let online = 0;
  // A zone reports through subscriptions of the same shape as a proxy's.
  for await (const insight of everything(read, "ZoneInsight")) {
    if (isOnline(insight.spec as DataplaneInsightSpec)) online += 1;
  }
  return { online, total };
}
