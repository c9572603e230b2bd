import type { Proxy } from "./proxy.ts";

/** How many of so many proxies see a policy before all others: one in a hundred, and at least one. */
export function shareOf(proxies: number): number {
  return Math.max(1, Math.floor(proxies / 100));
}

/**
 * Those of some proxies that can tell whether a configuration is right, in the order in which they are asked: proxies of
 * different services first, because a policy may suit one and not the other.
 */
export function* canariesFirst(proxies: Iterable<Proxy>): Generator<Proxy> {
  const byService = new Map<string, Proxy[]>();
  for (const proxy of proxies) {
    if (!proxy.isSynced || proxy.set.size === 0) continue;
    const service = serviceOf(proxy);
    byService.set(service, [...(byService.get(service) ?? []), proxy]);
  }
  for (let round = 0; byService.size > 0; round += 1) {
    for (const [service, list] of byService) {
      const proxy = list[round];
      if (proxy === undefined) byService.delete(service);
      else yield proxy;
    }
  }
}

function serviceOf({ compiled, name }: Proxy): string {
  const tags = compiled?.proxy.resource.spec.networking.inbound?.[0]?.tags;
  return tags?.["kuma.io/service"] ?? name;
}
