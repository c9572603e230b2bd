import type { Compiled } from "@heddle/engine/compile.ts";
import type { DataplaneEntry } from "@heddle/engine/snapshot/snapshot.ts";
import type { Proxy } from "../mesh/proxy.ts";

/** What was compiled for a proxy, and its inspect port, which is about the proxy itself and not about its mesh. */
export function withInspectPort(compiled: Compiled, { resource }: DataplaneEntry, proxy: Proxy | undefined): Compiled {
  const own = proxy?.inspectPort?.resourcesOn(resource.spec.networking.address) ?? [];
  if (own.length === 0) return compiled;
  const resources = new Map(compiled.resources);
  for (const each of own) resources.set(each.typeUrl, new Map(resources.get(each.typeUrl)).set(each.name, each));
  return { ...compiled, resources };
}
