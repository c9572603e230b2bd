import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";
import type { MeshSpec } from "@heddle/model/kinds/mesh.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { idOf, type Memo } from "./memo.ts";
import type { ProxyTls } from "./plan/plan.ts";
import type { DataplaneEntry, MeshSnapshot } from "./snapshot/snapshot.ts";

/** What a policy may read of the proxy that it changes. */
export interface ProxyFacts {
  readonly resource: Resource<DataplaneSpec>;
  readonly mesh: Resource<MeshSpec>;
  readonly zone: string;
  readonly tls: ProxyTls | undefined;
}

/** The facts of a proxy: the same object for as long as they are the same. */
export function proxyFacts(
  { mesh, zone }: MeshSnapshot,
  resource: DataplaneEntry["resource"],
  { tls, memo }: { readonly tls: ProxyTls | undefined; readonly memo: Memo },
): ProxyFacts {
  const key = `facts|${idOf(mesh)}|${idOf(resource)}|${tls === undefined ? "plain" : idOf(tls)}|${zone}`;
  return memo.get(key, () => ({ resource, mesh, zone, tls }));
}
