import { reachOf } from "@heddle/engine/match/select.ts";
import type { Impact } from "@heddle/engine/snapshot/apply-changes.ts";
import type { MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import type { MeshRuntime } from "../mesh/mesh-runtime.ts";

/**
 * Names of the proxies that may need something else after a change, in order: of the connected ones exactly those that
 * the runtime would compile or send endpoints to, of the others all that the change could concern.
 */
export function affectedDataplanes(
  runtime: MeshRuntime | undefined,
  before: MeshSnapshot | undefined,
  after: MeshSnapshot | undefined,
  impact: Impact,
): readonly string[] {
  const all = new Set([...(before?.dataplanes.keys() ?? []), ...(after?.dataplanes.keys() ?? [])]);
  if (impact.everybody || after === undefined) return [...all].toSorted();
  const connected = new Set([...(runtime?.concernedBy(impact, after) ?? [])].map(({ name }) => name));
  const isAffected = (name: string): boolean =>
    impact.dataplanes.has(name) ||
    (runtime?.proxies.has(name) === true ? connected.has(name) : mayConcern(impact, after, name));
  return [...all].filter(isAffected).toSorted();
}

// Nobody keeps track of whom a proxy without a connection would call, so a change of any service may concern it.
function mayConcern({ services, endpoints, policies }: Impact, mesh: MeshSnapshot, name: string): boolean {
  const entry = mesh.dataplanes.get(name);
  if (entry === undefined || services.size > 0 || endpoints.size > 0) return true;
  return policies.some((policy) => reachOf(policy, mesh, entry.resource) !== undefined);
}
