import type { LayoutReport } from "@heddle/api/reports.ts";
import type { Compiled } from "@heddle/engine/compile.ts";

/** The ports of a proxy with their names in Envoy. An outbound of Kuma 2.x has a service's name where others have a KRI. */
export function layoutReport({ identity, inbounds, outbounds }: Compiled): LayoutReport {
  const [spiffeId] = identity?.spiffeIds ?? [];
  return {
    ...(spiffeId === undefined ? {} : { spiffeId }),
    inbounds: inbounds.map(({ plan: { kri, port, protocol, key } }) => ({
      kri,
      port,
      protocol,
      proxyResourceName: key,
    })),
    outbounds: outbounds.map(({ plan: { destination, port } }) => ({
      kri: destination.key,
      port,
      protocol: destination.protocol,
      proxyResourceName: destination.key,
    })),
    // Listeners of zone proxies; a sidecar has none.
    listeners: [],
  };
}
