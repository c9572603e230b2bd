import type { ProxyKey } from "@heddle/api/ports.ts";
import { type Compiled, compile } from "@heddle/engine/compile.ts";
import type { DataplaneEntry, MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import type { Proxy } from "../mesh/proxy.ts";
import type { InspectOptions } from "./options.ts";

/** A proxy to look at, and what was compiled for it, or would be if it were connected. */
export interface Subject {
  readonly snapshot: MeshSnapshot;
  readonly entry: DataplaneEntry;
  readonly compiled: Compiled;
  /** Present while it is connected. */
  readonly proxy: Proxy | undefined;
}

/** How long an answer waits, in milliseconds, for changes that were written before it was asked for. */
const PATIENCE = 2_000;

/** Finds a proxy; undefined when its mesh or its Dataplane is not there. */
export async function subjectOf(options: InspectOptions, { mesh, name }: ProxyKey): Promise<Subject | undefined> {
  await caughtUp(options);
  const runtime = options.meshes.get(mesh);
  const entry = runtime?.snapshot.dataplanes.get(name);
  if (runtime === undefined || entry === undefined) return undefined;
  const { snapshot } = runtime;
  const proxy = runtime.proxies.get(name);
  // While others are still being compiled, this one may be too: the same function then gives what it will get.
  const known = runtime.isSettled ? proxy?.compiled : undefined;
  const compiled = known ?? compile(snapshot, entry, options.policies, options.memo);
  return { snapshot, entry, compiled, proxy };
}

/** Waits until the meshes know what the store knew at the call, so that who has written sees what was written. */
export async function caughtUp({ store, meshes, progress }: InspectOptions): Promise<void> {
  const wanted = await store.revision();
  if (meshes.revision >= wanted) return;
  const patience = AbortSignal.timeout(PATIENCE);
  try {
    while (meshes.revision < wanted) await progress.wait(patience);
  } catch (error) {
    // A store that runs ahead for so long is busy; an answer of a moment ago serves better than none.
    if (!patience.aborted) throw error;
  }
}
