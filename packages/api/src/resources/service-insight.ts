import type { Resource } from "@heddle/model/resource.ts";
import type { ServiceState } from "./proxy-states.ts";

/** Kuma's words for what a service is; its filter `type` takes them. */
export const SERVICE_TYPES = ["internal", "external", "gateway_delegated", "gateway_builtin"] as const;
export type ServiceType = (typeof SERVICE_TYPES)[number];

/** What stands behind a kuma.io/service tag (or a workload label, where there are no tags), as Kuma 2.x shows it. */
export function serviceInsight(mesh: Resource, service: ServiceState): object {
  const { name, status, proxies } = service;
  const offline = proxies.filter((proxy) => proxy.status === "offline").length;
  const backends = proxies.flatMap(({ issuedBackend }) => (issuedBackend === undefined ? [] : [issuedBackend]));
  const zones = proxies.flatMap(({ zone }) => (zone === undefined ? [] : [zone]));
  return {
    type: "ServiceInsight",
    mesh: mesh.name,
    name,
    creationTime: mesh.creationTime,
    modificationTime: mesh.modificationTime,
    status: status === "partiallyDegraded" ? "partially_degraded" : status,
    dataplanes: { total: proxies.length, online: proxies.length - offline, offline },
    issuedBackends: Object.fromEntries(
      [...Map.groupBy(backends, (each) => each)].map(([key, all]) => [key, all.length]),
    ),
    serviceType: typeOf(service),
    zones: [...new Set(zones)].toSorted(),
  };
}

/** What a service is, by the first of its proxies. */
export function typeOf({ proxies }: ServiceState): ServiceType {
  switch (proxies[0]?.gateway) {
    case "BUILTIN":
      return "gateway_builtin";
    case "DELEGATED":
      return "gateway_delegated";
    case undefined:
      return "internal";
  }
}
