import type { Proxy } from "./proxy.ts";

/** How many of so many proxies see a policy before all others: one in a hundred, and at least one. */
export function shareOf(proxies: number): number {
  return Math.max(1, Math.floor(proxies / 100));
}

/**
 * Those of some proxies that can tell whether a configuration is right, in the order in which they are asked: who has
 * nothing else to answer first, and of these proxies of different services, because a policy may suit one and not the
 * other. A proxy that never answered yet is not asked.
 */
export function* canariesFirst(proxies: Iterable<Proxy>): Generator<Proxy> {
  const able = [...proxies].filter(({ acknowledged }) => acknowledged > 0);
  yield* ofDifferentServices(able.filter(({ isSynced }) => isSynced));
  yield* ofDifferentServices(able.filter(({ isSynced }) => !isSynced));
}

function* ofDifferentServices(proxies: readonly Proxy[]): Generator<Proxy> {
  const byService = new Map<string, Proxy[]>();
  for (const proxy of proxies) {
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
