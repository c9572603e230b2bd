import type { EnvoyChange } from "@heddle/api/reports.ts";
import { envoyJson } from "./envoy-json.ts";
import { jsonPatch } from "./json-patch.ts";
import type { Wanted, WantedSet } from "./wanted.ts";

/** The resources in which two sets differ, ordered by type and name. */
export type EnvoyDiff = (before: WantedSet, after: WantedSet) => readonly EnvoyChange[];

/** Compares sets, with patches or without. Proxies share resources: a change is turned into a patch once for all. */
export function envoyDiff(withPatches: boolean): EnvoyDiff {
  const patches = new Map<string, readonly unknown[]>();
  const patchOf = (old: Wanted | undefined, now: Wanted | undefined): readonly unknown[] => {
    const { typeUrl, name } = old ?? now ?? {};
    const key = `${typeUrl}|${name}|${old?.version}|${now?.version}`;
    const patch = patches.get(key) ?? makePatch(old, now);
    patches.set(key, patch);
    return patch;
  };
  return (before, after) =>
    differing(before, after).map(([old, now]): EnvoyChange => {
      const { typeUrl = "", name = "" } = old ?? now ?? {};
      const change = old === undefined ? "added" : now === undefined ? "removed" : "changed";
      const isReadable = [old, now].every((each) => each === undefined || each.bytes !== undefined);
      return { typeUrl, name, change, ...(withPatches && isReadable ? { patch: patchOf(old, now) } : {}) };
    });
}

type Pair = readonly [Wanted | undefined, Wanted | undefined];

function differing(before: WantedSet, after: WantedSet): readonly Pair[] {
  const types = [...new Set([...before.keys(), ...after.keys()])].toSorted();
  return types.flatMap((typeUrl) => {
    const [old, now] = [before.get(typeUrl), after.get(typeUrl)];
    if (old === now) return [];
    const names = [...new Set([...(old?.keys() ?? []), ...(now?.keys() ?? [])])].toSorted();
    return names.map((name): Pair => [old?.get(name), now?.get(name)]).filter(([a, b]) => a?.version !== b?.version);
  });
}

function makePatch(old: Wanted | undefined, now: Wanted | undefined): readonly unknown[] {
  const [before, after] = [jsonOf(old), jsonOf(now)];
  if (before === undefined) return [{ op: "add", path: "", value: after }];
  if (after === undefined) return [{ op: "remove", path: "" }];
  return jsonPatch(before, after);
}

function jsonOf(resource: Wanted | undefined): unknown {
  return resource?.bytes === undefined ? undefined : envoyJson({ bytes: resource.bytes });
}
