import type { RolloutProgress } from "@heddle/api/reports.ts";
import type { Rejection } from "@heddle/model/kinds/dataplane-insight.ts";
import type { Meshes } from "../mesh/meshes.ts";
import { heldMessage } from "../mesh/keep-hold.ts";
import type { Proxy } from "../mesh/proxy.ts";
import type { InspectOptions } from "./options.ts";

/** A proxy that a change concerns, and what has to happen for it to be through. */
interface Concerned {
  readonly proxy: Proxy;
  /** Number of the set with the change in it: whoever acknowledges this one or a later one has taken it over. */
  readonly target: number;
}

/**
 * Follows the changes after `since`, up to `revision`, to the connected proxies: the state now, and again whenever it
 * is another, until everybody has acknowledged or refused. Who disconnects leaves the count: it gets everything anyway
 * when it returns. Throws the signal's reason when it aborts.
 */
export async function* rollout(
  { meshes, progress }: Pick<InspectOptions, "meshes" | "progress">,
  revision: number,
  since: number,
  signal: AbortSignal,
): AsyncGenerator<RolloutProgress> {
  const started = performance.now();
  let concerned: readonly Concerned[] | undefined;
  let said = "";
  for (;;) {
    // What changes later is another change's business, so who is concerned is settled once, as soon as it can be known.
    if (concerned === undefined && isTakenOver(meshes, revision)) concerned = concernedSince(meshes, since);
    const state = stateOf(meshes, { revision, since }, concerned ?? concernedSince(meshes, since));
    const done = concerned !== undefined && state.isThrough;
    const text = JSON.stringify([state.report, done]);
    if (text === said) {
      await progress.wait(signal);
      continue;
    }
    said = text;
    yield { ...state.report, elapsedMillis: Math.round(performance.now() - started), done };
    if (done) return;
    signal.throwIfAborted();
  }
}

function isTakenOver(meshes: Meshes, revision: number): boolean {
  return meshes.revision >= revision && [...meshes.all()].every((mesh) => mesh.isSettledAt(revision));
}

function concernedSince(meshes: Meshes, since: number): readonly Concerned[] {
  return [...meshes.all()].flatMap(({ proxies }) =>
    [...proxies.values()]
      .filter(({ changedAt }) => changedAt > since)
      .map((proxy) => ({ proxy, target: proxy.published })),
  );
}

function stateOf(
  meshes: Meshes,
  { revision, since }: { readonly revision: number; readonly since: number },
  concerned: readonly Concerned[],
): { readonly report: Omit<RolloutProgress, "elapsedMillis" | "done">; readonly isThrough: boolean } {
  const here = concerned.filter(({ proxy }) => meshes.get(proxy.mesh)?.proxies.get(proxy.name) === proxy);
  // A proxy is through a set that it refused in part, too: then it has acknowledged the rest.
  const through = here.filter(({ proxy, target }) => proxy.acknowledged >= target);
  const acked = through.filter(({ proxy }) => proxy.refusedSince(since).length === 0).length;
  const rejected = here.flatMap(({ proxy }) => proxy.refusedSince(since).map((each) => reported(proxy, each)));
  const held = heldSince(meshes, since);
  return {
    report: { revision, proxies: { affected: here.length, acked }, rejected, ...(held.length === 0 ? {} : { held }) },
    isThrough: through.length === here.length,
  };
}

function heldSince(meshes: Meshes, since: number): NonNullable<RolloutProgress["held"]> {
  return [...meshes.all()].flatMap((mesh) =>
    mesh.heldSince(since).map((held) => {
      const { type, name } = held.policy;
      return { type, mesh: held.policy.mesh, name, message: heldMessage(held) };
    }),
  );
}

function reported(
  { mesh, name }: Proxy,
  { typeUrl, resources, detail, origins = [] }: Rejection,
): RolloutProgress["rejected"][number] {
  return { mesh, name, typeUrl, resources, detail, origins };
}
