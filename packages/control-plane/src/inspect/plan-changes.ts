import type { PlannedChanges } from "@heddle/api/ports.ts";
import type { ProxyChange } from "@heddle/api/reports.ts";
import { isServerTrust } from "@heddle/engine/plan/server-trust.ts";
import { applyChanges } from "@heddle/engine/snapshot/apply-changes.ts";
import type { DataplaneEntry, MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";
import { affectedDataplanes } from "./affected-dataplanes.ts";
import { type EnvoyDiff, envoyDiff } from "./envoy-diff.ts";
import type { InspectOptions } from "./options.ts";
import { type MeshPlan, meshPlans } from "./mesh-plans.ts";
import { type WantedSet, wantedBy } from "./wanted.ts";
import { mapInSlices } from "./slices.ts";
import { caughtUp } from "./subject.ts";

/** What would change at which proxy, connected or not, if all of this were written at once. Nothing is written. */
export async function planChanges(options: InspectOptions, changes: PlannedChanges): Promise<readonly ProxyChange[]> {
  await caughtUp(options);
  const diff = envoyDiff(changes.diff);
  const found: ProxyChange[] = [];
  for (const plan of meshPlans(options, changes)) found.push(...(await planMesh(options, plan, diff)));
  return found;
}

async function planMesh(options: InspectOptions, plan: MeshPlan, diff: EnvoyDiff): Promise<readonly ProxyChange[]> {
  const { name, before } = plan;
  const { snapshot: after, impact } = applyChanges(plan.base, plan.changes);
  const names = affectedDataplanes(options.meshes.get(name), before, plan.isDeleted ? undefined : after, impact);
  const changed = await mapInSlices(names, options.sliceMillis, (proxy): ProxyChange => {
    const old = wantedIn(options, before, proxy);
    const now = plan.isDeleted ? new Map() : withOffered(wantedIn(options, after, proxy), old);
    return { mesh: name, name: proxy, changes: diff(old, now) };
  });
  return changed.filter(({ changes }) => changes.length > 0);
}

/** Bundles for servers stay on offer until a proxy reconnects: a cluster that is being replaced may ask for them still. */
function withOffered(now: WantedSet, old: WantedSet): WantedSet {
  const secrets = now.get(TYPE_URL.secret);
  const offered = [...(old.get(TYPE_URL.secret) ?? [])].filter(([name]) => isServerTrust(name) && !secrets?.has(name));
  if (secrets === undefined || offered.length === 0) return now;
  return new Map(now).set(TYPE_URL.secret, new Map([...secrets, ...offered]));
}

function wantedIn(options: InspectOptions, mesh: MeshSnapshot | undefined, proxy: string): ReturnType<typeof wantedBy> {
  const entry: DataplaneEntry | undefined = mesh?.dataplanes.get(proxy);
  return mesh === undefined || entry === undefined ? new Map() : wantedBy(options, mesh, entry);
}
