import type { Store } from "@heddle/model/store.ts";
import type { TokenService } from "./identity/token-service.ts";
import type { Meshes } from "./mesh/meshes.ts";
import type { MeshServiceGenerator } from "./mesh-services/generator.ts";
import type { ServiceStatus } from "./service-status/service-status.ts";
import type { Sessions } from "./proxies/sessions.ts";

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
  const failure = Promise.withResolvers<Error>();
  const loop = async (): Promise<void> => {
    const changes = withoutGaps(store.watch({ after, signal: ending.signal }), after);
    for await (const events of changes) await takeOver(events, followers);
  };
  const done = loop().catch((cause: unknown) => {
    // Without the store's changes proxies would silently grow old: better to stop and be started again.
    const state = `${String(cause)}; the proxies keep what they have`;
    failure.resolve(new Error(`Cannot follow the store any more: ${state}`, { cause }));
  });
  stack.defer(async () => {
    ending.abort();
    await done;
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
