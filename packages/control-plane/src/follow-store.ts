import { setInterval } from "node:timers/promises";
import type { Store } from "@heddle/model/store.ts";
import type { TokenService } from "./identity/token-service.ts";
import type { Meshes } from "./mesh/meshes.ts";
import type { MeshServiceGenerator } from "./mesh-services/generator.ts";
import type { ServiceStatus } from "./service-status/service-status.ts";
import type { Sessions } from "./proxies/sessions.ts";

/** How often the store is asked whether there is more than it told. */
const LOOK_MILLIS = 15_000;

interface Followed {
  readonly store: Store;
  readonly after: number;
  readonly meshes: Meshes;
  readonly generator: MeshServiceGenerator;
  readonly serviceStatus: ServiceStatus;
  readonly sessions: Sessions;
  readonly tokens: TokenService;
  readonly stack: AsyncDisposableStack;
}

/** Takes every change of the store over, batch by batch, until the stack is disposed. Settles if that fails, with why. */
export function followStore({ store, after, stack, ...followers }: Followed): Promise<Error> {
  const ending = new AbortController();
  const { signal } = ending;
  const failure = Promise.withResolvers<Error>();
  const position = { told: after, isWaiting: true };
  const loop = async (): Promise<void> => {
    for await (const events of withoutGaps(store.watch({ after, signal }), after)) {
      position.isWaiting = false;
      await takeOver(events, followers);
      position.told = events.at(-1)?.revision ?? position.told;
      position.isWaiting = true;
    }
  };
  const giveUp = (cause: unknown): void => {
    // Without the store's changes proxies would silently grow old: better to stop and be started again.
    const state = `${String(cause)}; the proxies keep what they have`;
    failure.resolve(new Error(`Cannot follow the store any more: ${state}`, { cause }));
  };
  const done = [loop(), missNothing({ store, position, signal })].map((each) => each.catch(giveUp));
  stack.defer(async () => {
    ending.abort();
    await Promise.all(done);
  });
  return failure.promise;
}

type Events = Parameters<Meshes["take"]>[0];

/** Passes batches on. Every change has the number after the one before: throws when one is missing, or comes twice. */
export async function* withoutGaps(batches: AsyncIterable<Events>, after: number): AsyncGenerator<Events, void> {
  let last = after;
  for await (const events of batches) {
    for (const { revision } of events) {
      if (revision !== last + 1) throw new Error(`after its change ${last} came ${revision}`);
      last = revision;
    }
    yield events;
  }
}

/** How far somebody is who follows a store. */
interface Position {
  /** The last change that was taken over. */
  readonly told: number;
  /** Nothing is being taken over. */
  readonly isWaiting: boolean;
}

interface Watched {
  readonly store: Pick<Store, "revision">;
  readonly position: Position;
  readonly signal: AbortSignal;
  readonly lookMillis?: number;
}

/**
 * Throws when the store holds changes of which a waiting follower is not told for two looks, which the next change would
 * show, but there may be none for days. One look may be late: of a machine that slept.
 */
export async function missNothing({ store, position, signal, lookMillis = LOOK_MILLIS }: Watched): Promise<void> {
  let before = position.told;
  let looks = 0;
  try {
    for await (const _ of setInterval(lookMillis, undefined, { signal, ref: false })) {
      const { told, isWaiting } = position;
      const isBehind = (await store.revision()) > told;
      looks = isBehind && isWaiting && told === before ? looks + 1 : 0;
      before = told;
      if (looks === 2) throw new Error(`change ${told + 1} is in the store, and was not told`);
    }
  } catch (cause) {
    if (!signal.aborted) throw cause;
  }
}

async function takeOver(
  events: Events,
  { meshes, generator, serviceStatus, sessions, tokens }: Omit<Followed, "store" | "after" | "stack">,
): Promise<void> {
  await meshes.take(events);
  for (const { change, resource } of events) {
    serviceStatus.notice(resource.type);
    if (resource.type === "Dataplane") generator.notice(resource.mesh);
    if (resource.type === "Dataplane" && change === "delete") sessions.endProxy(resource.mesh, resource.name);
    if (resource.type === "Mesh") generator.notice(resource.name);
    if (resource.type === "Secret") sessions.endRevoked(resource.mesh, await tokens.judge(resource.mesh));
  }
}
