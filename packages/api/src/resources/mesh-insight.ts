import type { Resource } from "@heddle/model/resource.ts";
import type { Ports } from "../ports.ts";
import { totalsByType } from "./global-insight.ts";
import { counts, proxyStates, type ProxyState, serviceStates } from "./proxy-states.ts";

/** Kuma's MeshInsight: a mesh in numbers. Here it is counted when somebody asks, so it is never behind. */
export async function meshInsight(
  { store: read, kinds, caStates, inspect }: Pick<Ports, "store" | "kinds" | "caStates" | "inspect">,
  mesh: Resource,
): Promise<object> {
  const proxies = await proxyStates(read, mesh.name);
  const totals = await totalsByType(
    read,
    kinds.all.filter(({ scope }) => scope === "Mesh"),
    mesh.name,
  );
  const resources = Object.fromEntries([...totals].map(([type, total]) => [type, { total }]));
  const policies = kinds.all.flatMap(({ type, policy }) =>
    policy === undefined ? [] : [[type, { total: totals.get(type) ?? 0 }]],
  );
  const internal = serviceStates(proxies).length;
  const external = totals.get("MeshExternalService") ?? 0;
  return {
    type: "MeshInsight",
    name: mesh.name,
    creationTime: mesh.creationTime,
    modificationTime: mesh.modificationTime,
    dataplanes: counts(proxies),
    dataplanesByType: byType(proxies),
    policies: Object.fromEntries(policies),
    resources,
    dpVersions: {
      kumaDp: countsBy(proxies, ({ launcher }) => [launcher ?? "unknown"]),
      envoy: countsBy(proxies, ({ envoy }) => [envoy ?? "unknown"]),
    },
    mTLS: {
      issuedBackends: countsBy(proxies, ({ issuedBackend }) => (issuedBackend === undefined ? [] : [issuedBackend])),
      supportedBackends: countsBy(proxies, ({ supportedBackends }) => supportedBackends),
      ...(caStates === undefined ? {} : { backends: Object.fromEntries(caStates(mesh.name)) }),
      ...certificates(inspect, mesh.name),
    },
    services: { total: internal + external, internal, external },
  };
}

/** How certificates are, and what will go wrong with them unless somebody acts. */
function certificates(inspect: Ports["inspect"], mesh: string): object {
  const report = inspect.certificates(mesh);
  const authorities = inspect.authorities(mesh);
  if (report === undefined || authorities === undefined) return {};
  const { states, firstExpiry } = report;
  return {
    certificates: { states, ...(firstExpiry === undefined ? {} : { firstExpiry }) },
    warnings: [...authorities.warnings, ...report.warnings],
  };
}

function byType(proxies: readonly ProxyState[]): object {
  return {
    standard: counts(proxies.filter(({ gateway }) => gateway === undefined)),
    gateway: counts(proxies.filter(({ gateway }) => gateway !== undefined)),
    gatewayBuiltin: counts(proxies.filter(({ gateway }) => gateway === "BUILTIN")),
    gatewayDelegated: counts(proxies.filter(({ gateway }) => gateway === "DELEGATED")),
  };
}

function countsBy(proxies: readonly ProxyState[], keysOf: (proxy: ProxyState) => readonly string[]): object {
  const keys = new Set(proxies.flatMap(keysOf));
  return Object.fromEntries(
    [...keys].toSorted().map((key) => [key, counts(proxies.filter((proxy) => keysOf(proxy).includes(key)))]),
  );
}
