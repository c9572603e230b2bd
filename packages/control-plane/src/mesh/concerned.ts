import { reachOf } from "@heddle/engine/match/select.ts";
import type { Impact } from "@heddle/engine/snapshot/apply-changes.ts";
import type { MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import type { Proxy } from "./proxy.ts";

/** Connected proxies that may need another configuration because of these changes. */
export function concerned(
  impact: Impact,
  snapshot: MeshSnapshot,
  proxies: ReadonlyMap<string, Proxy>,
  byService: ReadonlyMap<string, ReadonlySet<Proxy>>,
): Set<Proxy> {
  if (impact.everybody) return new Set(proxies.values());
  const found = new Set<Proxy>();
  for (const name of impact.dataplanes) {
    const proxy = proxies.get(name);
    if (proxy !== undefined) found.add(proxy);
  }
  for (const key of impact.services) for (const proxy of byService.get(key) ?? []) found.add(proxy);
  // Any service of a kind may be the one that a reference by labels means.
  const kinds = new Set([...impact.services].map((key) => key.slice(0, key.indexOf("/"))));
  for (const kind of kinds) for (const proxy of byService.get(`${kind}/*`) ?? []) found.add(proxy);
  if (impact.policies.length > 0) {
    for (const proxy of proxies.values()) {
      const entry = snapshot.dataplanes.get(proxy.name);
      if (
        entry !== undefined &&
        impact.policies.some((policy) => reachOf(policy, snapshot, entry.resource) !== undefined)
      )
        found.add(proxy);
    }
  }
  return found;
}
