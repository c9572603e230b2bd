import type { LayoutReport } from "@heddle/api/reports.ts";
import type { Compiled } from "@heddle/engine/compile.ts";
import { type Caller, whyClosed } from "@heddle/engine/plan/external.ts";
import type { Destination } from "@heddle/engine/plan/plan.ts";

/** The ports of a proxy with their names in Envoy. An outbound of Kuma 2.x has a service's name where others have a KRI. */
export function layoutReport({ identity, inbounds, outbounds, proxy }: Compiled): LayoutReport {
  const [spiffeId] = identity?.spiffeIds ?? [];
  return {
    ...(spiffeId === undefined ? {} : { spiffeId }),
    inbounds: inbounds.map(({ plan: { kri, port, protocol, key } }) => ({
      kri,
      port,
      protocol,
      proxyResourceName: key,
    })),
    outbounds: outbounds.map(({ plan: { destination, port }, destinations }) => ({
      kri: destination.key,
      port,
      protocol: destination.protocol,
      proxyResourceName: destination.key,
      ...problemsOf(destinations, { systemCaPath: proxy.node.systemCaPath, hasIdentity: identity !== undefined }),
    })),
    // Listeners of zone proxies; a sidecar has none.
    listeners: [],
  };
}

/** Why those outside of the mesh to whom an outbound leads cannot be called. */
function problemsOf(destinations: readonly Destination[], caller: Caller): { readonly problem?: string } {
  const problems = destinations.flatMap(({ key, external }) => {
    const problem = external && whyClosed(external, caller);
    return problem === undefined ? [] : [`${key} cannot be called: ${problem}`];
  });
  return problems.length === 0 ? {} : { problem: problems.join("; ") };
}
