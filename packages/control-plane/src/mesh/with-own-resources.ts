import type { Compiled } from "@heddle/engine/compile.ts";
import type { DataplaneEntry } from "@heddle/engine/snapshot/snapshot.ts";
import { asksForLimits } from "../rate-limit/limits-of-proxy.ts";
import type { Proxy } from "./proxy.ts";

/**
 * What was compiled for a proxy, and what is about the proxy itself and not about its mesh: its inspect port, and its way
 * to the rate limit service.
 */
export function withOwnResources(compiled: Compiled, { resource }: DataplaneEntry, proxy: Proxy | undefined): Compiled {
  const access = asksForLimits(compiled) ? proxy?.rateLimitAccess?.() : undefined;
  const own = [
    ...(proxy?.inspectPort?.resourcesOn(resource.spec.networking.address) ?? []),
    ...(access === undefined ? [] : [access]),
  ];
  if (own.length === 0) return compiled;
  const resources = new Map(compiled.resources);
  for (const each of own) resources.set(each.typeUrl, new Map(resources.get(each.typeUrl)).set(each.name, each));
  return { ...compiled, resources };
}
