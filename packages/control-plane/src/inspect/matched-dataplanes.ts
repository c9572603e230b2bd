import type { ProxyKey } from "@heddle/api/ports.ts";
import { reachOf } from "@heddle/engine/match/select.ts";
import type { MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import type { ResourceKey } from "@heddle/model/resource.ts";
import { unshadowed } from "./shadow.ts";

/** The proxies that a policy selects, ordered by name; a shadow policy selects those that it would without its label. */
export function matchedDataplanes(mesh: MeshSnapshot, { type, name }: ResourceKey): readonly ProxyKey[] {
  const own = mesh.policies.get(type)?.filter((each) => each.name === name) ?? [];
  const policies = [...own, ...(mesh.legacy.get(`${type}/${name}`)?.policies ?? [])].map(unshadowed);
  return [...mesh.dataplanes.values()]
    .filter(({ resource }) => policies.some((policy) => reachOf(policy, mesh, resource) !== undefined))
    .map(({ resource }) => ({ mesh: resource.mesh, name: resource.name }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
