import type { EncodedResource, ResourceSet } from "../resource.ts";
import { TYPE_URL } from "../type-url.ts";

/**
 * Resources for the model: the version is the content. "!" is refused by the client; a cluster's version ends with the
 * secret it needs ("b/s1"), a listener's with its route ("a/r1"), a route's with its clusters ("a/c1,c2").
 */
export interface ModelMesh {
  readonly secrets: Readonly<Record<string, string>>;
  readonly clusters: Readonly<Record<string, string>>;
  readonly endpoints: Readonly<Record<string, string>>;
  readonly listeners: Readonly<Record<string, string>>;
  readonly routes: Readonly<Record<string, string>>;
}

/** A number from 0 up to, not including, `below`. */
export type Random = (below: number) => number;

/** The same numbers for the same seed (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** A small mesh that is consistent in itself: nothing refers to what does not exist. */
export function randomMesh(random: Random, badPercent: number): ModelMesh {
  const letter = (count: number) => (random(100) < badPercent ? "!" : "") + "abc"[random(count)];
  const some = (names: readonly string[], outOf: number) => names.filter(() => random(outOf) > 0);
  const clusters = record(some(["c1", "c2", "c3"], 3), () => letter(2) + "/" + ["", "s1", "s2"][random(3)]);
  const names = Object.keys(clusters);
  const routes = record(some(["r1", "r2"], 10), () => letter(2) + "/" + some(names, 2).join(","));
  const served = ["", ...Object.keys(routes)];
  return {
    secrets: record(["s1", "s2"], () => letter(2)),
    clusters,
    endpoints: record(some(names, 12), () => letter(3)),
    routes,
    listeners: record(some(["l1", "l2"], 4), () => letter(2) + "/" + served[random(served.length)]),
  };
}

/** The mesh after a change: some kinds as before, others new, consistent in itself. */
export function changedMesh(random: Random, badPercent: number, before: ModelMesh): ModelMesh {
  const fresh = randomMesh(random, badPercent);
  const pick = <Kind extends keyof ModelMesh>(kind: Kind) => (random(2) === 0 ? before[kind] : fresh[kind]);
  const mesh = {
    secrets: pick("secrets"),
    clusters: pick("clusters"),
    endpoints: pick("endpoints"),
    routes: pick("routes"),
    listeners: pick("listeners"),
  };
  return refersOnlyTo(mesh.routes, mesh.clusters) && refersOnlyTo(mesh.listeners, mesh.routes) ? mesh : fresh;
}

function refersOnlyTo(users: Readonly<Record<string, string>>, used: Readonly<Record<string, string>>): boolean {
  return Object.values(users).every((content) => references(content).every((name) => name in used));
}

/** What the content refers to: the names behind the slash. */
export function references(content: string): readonly string[] {
  const tail = content.slice(content.indexOf("/") + 1);
  return content.includes("/") && tail !== "" ? tail.split(",") : [];
}

/** The mesh as a resource set; types that did not change keep the Map of the set before. */
export function toResourceSet(mesh: ModelMesh, before: ResourceSet | undefined): ResourceSet {
  const set = new Map<string, ReadonlyMap<string, EncodedResource>>();
  for (const [kind, typeUrl] of KINDS) {
    const old = before?.get(typeUrl);
    const entries = Object.entries(mesh[kind]);
    const isSame =
      old?.size === entries.length && entries.every(([name, version]) => old.get(name)?.version === version);
    set.set(
      typeUrl,
      isSame ? old : new Map(entries.map(([name, version]) => [name, resource(typeUrl, name, version)])),
    );
  }
  return set;
}

/** A resource without bytes: the state machine does not look into them. */
export function resource(typeUrl: string, name: string, version: string): EncodedResource {
  return { typeUrl, name, version, bytes: SOME_BYTES };
}

export const KINDS = [
  ["secrets", TYPE_URL.secret],
  ["clusters", TYPE_URL.cluster],
  ["endpoints", TYPE_URL.endpoint],
  ["listeners", TYPE_URL.listener],
  ["routes", TYPE_URL.route],
] as const;

function record(names: readonly string[], content: () => string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, content()]));
}

const SOME_BYTES = new Uint8Array(1);
