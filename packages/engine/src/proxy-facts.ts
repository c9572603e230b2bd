import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";
import type { TelemetryBackendSpec } from "@heddle/model/kinds/mesh-open-telemetry-backend.ts";
import type { MeshSpec } from "@heddle/model/kinds/mesh.ts";
import { displayName, LABEL } from "@heddle/model/labels.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { idOf, type Memo } from "./memo.ts";
import type { ProxyTls } from "./plan/plan.ts";
import type { DataplaneEntry, MeshSnapshot, NodeFacts } from "./snapshot/snapshot.ts";

/** What a policy may read of the proxy that it changes. */
export interface ProxyFacts {
  readonly resource: Resource<DataplaneSpec>;
  readonly mesh: Resource<MeshSpec>;
  readonly zone: string;
  readonly tls: ProxyTls | undefined;
  readonly node: NodeFacts;
  /** Collectors that a policy may name, by name. */
  readonly telemetryBackends: ReadonlyMap<string, Resource<TelemetryBackendSpec>>;
}

interface Rest {
  readonly tls: ProxyTls | undefined;
  readonly node: NodeFacts | undefined;
  readonly memo: Memo;
}

/** The facts of a proxy: the same object for as long as they are the same. */
export function proxyFacts(
  { mesh, zone, telemetryBackends }: MeshSnapshot,
  resource: DataplaneEntry["resource"],
  { tls, node = {}, memo }: Rest,
): ProxyFacts {
  const ids = [mesh, telemetryBackends].map(idOf).join("|");
  const key = `facts|${ids}|${tls === undefined ? "plain" : idOf(tls)}|${zone}|${JSON.stringify(node)}`;
  return memo.of(resource).get(key, () => ({ resource, mesh, zone, tls, node, telemetryBackends }));
}

/** What a proxy's service is called in logs and traces: its workload, Kuma 2.x's service tag, or its own name. */
export function serviceOf({ resource }: Pick<ProxyFacts, "resource">): string {
  const [first] = resource.spec.networking.inbound ?? [];
  return first?.tags?.[LABEL.service] ?? resource.labels[LABEL.workload] ?? displayName(resource);
}

/** The collector that a policy names; undefined while there is none. Names are as users wrote them. */
export function telemetryBackend(
  { telemetryBackends }: ProxyFacts,
  {
    name,
    labels,
  }: { readonly name?: string | undefined; readonly labels?: Readonly<Record<string, string>> | undefined },
): Resource<TelemetryBackendSpec> | undefined {
  const known = [...telemetryBackends.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  if (name !== undefined) return known.find((each) => displayName(each) === name || each.name === name);
  return known.find((each) => Object.entries(labels ?? {}).every(([key, value]) => each.labels[key] === value));
}
