import { serviceKey } from "@heddle/engine/plan/resolve.ts";
import type { Proxy } from "./proxy.ts";

/** Who has to look again when a service changes. */
export class Consumers {
  readonly #byService = new Map<string, Set<Proxy>>();

  /** Connected proxies by the services whose change concerns them. */
  get byService(): ReadonlyMap<string, ReadonlySet<Proxy>> {
    return this.#byService;
  }

  /** A proxy that was compiled until now as it says itself is to be so from now on. */
  compiled(proxy: Proxy, now: Proxy["compiled"]): void {
    const wanted = servicesOf(now);
    for (const key of servicesOf(proxy.compiled)) if (!wanted.has(key)) this.#remove(key, proxy);
    for (const key of wanted) {
      const consumers = this.#byService.get(key) ?? new Set();
      this.#byService.set(key, consumers.add(proxy));
    }
  }

  /** A proxy went away. */
  gone(proxy: Proxy): void {
    for (const key of servicesOf(proxy.compiled)) this.#remove(key, proxy);
  }

  #remove(key: string, proxy: Proxy): void {
    const consumers = this.#byService.get(key);
    consumers?.delete(proxy);
    if (consumers?.size === 0) this.#byService.delete(key);
  }
}

/** Services whose change concerns a proxy. */
function servicesOf(compiled: Proxy["compiled"]): ReadonlySet<string> {
  return new Set([...(compiled?.dependsOn ?? []), ...[...(compiled?.destinations.values() ?? [])].map(serviceKey)]);
}
