import type { Verdict, Write, WriteGuard } from "@heddle/api/ports.ts";
import { reachOf } from "@heddle/engine/match/select.ts";
import { applyChanges, type MeshChange } from "@heddle/engine/snapshot/apply-changes.ts";
import { legacyKindOf } from "@heddle/model/legacy/index.ts";
import type { PolicySpec } from "@heddle/engine/match/precedence.ts";
import type { DataplaneEntry, MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { mapInSlices } from "./slices.ts";
import type { InspectOptions } from "./options.ts";
import { asStored } from "./planned-resource.ts";
import { unshadowed } from "./shadow.ts";
import { caughtUp } from "./subject.ts";
import { type WantedSet, wantedBy } from "./wanted.ts";

// The first proxies tell: a policy that means something mostly means it to the first one.
const MOST_LOOKED_AT = 20;

/** Warns of a policy that selects proxies and yet changes nothing at them, because others win over it or say the same. */
export function effectGuard(options: InspectOptions): WriteGuard {
  return async (write): Promise<Verdict> => {
    if (write.operation === "delete" || write.kind.policy === undefined) return {};
    if (legacyKindOf(write.kind.type) !== undefined) return {};
    const warning = await withoutEffect(options, write);
    return warning === undefined ? {} : { warnings: [warning] };
  };
}

async function withoutEffect(
  options: InspectOptions,
  { resource, previous }: Exclude<Write, { operation: "delete" }>,
): Promise<string | undefined> {
  await caughtUp(options);
  const runtime = options.meshes.get(resource.mesh);
  if (runtime === undefined) return undefined;
  // A shadow policy is judged by what it would do.
  const policy = unshadowed(asStored(resource, previous, new Date()) as Resource<PolicySpec>);
  const base = runtime.snapshot;
  const without = changed(base, previous === undefined ? [] : [{ what: "delete", resource: policy }]);
  const withIt = changed(base, [{ what: "put", resource: policy }]);
  const selected = [...withIt.dataplanes.values()].filter((entry) => reachOf(policy, withIt, entry.resource));
  const looked = selected.slice(0, MOST_LOOKED_AT);
  if (looked.length === 0 || (await differsAtAny(options, looked, [without, withIt]))) return undefined;
  const where = looked.length < selected.length ? `the first ${looked.length} of ${selected.length}` : looked.length;
  const proxies = selected.length === 1 ? "proxy that it selects" : "proxies that it selects";
  return `changes nothing now at ${where} ${proxies}: other policies win over it or say the same, or nothing there is meant; see heddle inspect rules ${looked[0]?.resource.name}`;
}

async function differsAtAny(
  options: InspectOptions,
  entries: readonly DataplaneEntry[],
  [before, after]: readonly [MeshSnapshot, MeshSnapshot],
): Promise<boolean> {
  let differs = false;
  await mapInSlices(entries, options.sliceMillis, (entry) => {
    // What cannot be compiled is told elsewhere; it is no lack of effect.
    differs ||= !isSame(
      () => wantedBy(options, before, entry),
      () => wantedBy(options, after, entry),
    );
  });
  return differs;
}

function isSame(before: () => WantedSet, after: () => WantedSet): boolean {
  try {
    return textOf(before()) === textOf(after());
  } catch {
    return false;
  }
}

function textOf(set: WantedSet): string {
  const versions = [...set].flatMap(([type, named]) => [...named].map(([name, { version }]) => [type, name, version]));
  return JSON.stringify(versions.map((each) => each.join(" ")).toSorted());
}

function changed(mesh: MeshSnapshot, changes: readonly MeshChange[]): MeshSnapshot {
  return changes.length === 0 ? mesh : applyChanges(mesh, changes).snapshot;
}
