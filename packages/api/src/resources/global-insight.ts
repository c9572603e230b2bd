import type { Kind, KindRegistry } from "@heddle/model/kind.ts";
import { type DataplaneInsightSpec, isOnline } from "@heddle/model/kinds/dataplane-insight.ts";
import type { Reader } from "../ports.ts";
import { everything } from "./everything.ts";
import { counts, proxyStates, serviceStates } from "./proxy-states.ts";

/** Kuma's `/global-insight`: the state of the whole installation in numbers. */
export async function globalInsight(read: Reader, kinds: KindRegistry, now: Date): Promise<object> {
  const totals = await totalsByType(read, kinds.all);
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
      internal: counts(serviceStates(proxies.filter((proxy) => proxy.gateway === undefined))),
      external: { total: totals.get("MeshExternalService") ?? 0 },
      gatewayBuiltin: counts(serviceStates(proxies.filter((proxy) => proxy.gateway === "BUILTIN"))),
      gatewayDelegated: counts(serviceStates(proxies.filter((proxy) => proxy.gateway === "DELEGATED"))),
    },
  };
}

/** How many resources there are of each kind that users write, in all meshes or in one. */
export async function totalsByType(
  read: Reader,
  kinds: readonly Kind[],
  mesh?: string,
): Promise<ReadonlyMap<string, number>> {
  const where = mesh === undefined ? {} : { mesh };
  const entries = kinds
    .filter((kind) => !kind.secret && !kind.readOnly)
    .map(async ({ type }): Promise<[string, number]> => [type, (await read.list({ type, size: 1, ...where })).total]);
  return new Map(await Promise.all(entries));
}

async function zoneCounts(read: Reader, total: number): Promise<{ online: number; total: number }> {
  let online = 0;
  // A zone reports through subscriptions of the same shape as a proxy's.
  for await (const insight of everything(read, "ZoneInsight")) {
    if (isOnline(insight.spec as DataplaneInsightSpec)) online += 1;
  }
  return { online, total };
}
