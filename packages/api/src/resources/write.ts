import type { Kind } from "@heddle/model/kind.ts";
import type { Expected } from "@heddle/model/parse-resource.ts";
import type { Resource, ResourceKey } from "@heddle/model/resource.ts";
import { type Store, StoreError } from "@heddle/model/store.ts";
import { ApiError, invalid } from "../http/api-error.ts";
import { dependentsOf, removeAll } from "./cascade.ts";
import { requireResource } from "./find.ts";
import { type Accepted, type Judge, judgeDelete, type Judgement, judgePut } from "./judge.ts";
import { checkPreconditions, mayRetry, type Preconditions } from "./preconditions.ts";

const MOST_RACES = 10;

/** What a write did. `revision` is one of the store at which it is in: a rollout up to it includes the write. */
export interface Written {
  readonly outcome: "created" | "updated" | "unchanged" | "deleted";
  readonly revision: number;
  readonly warnings: readonly string[];
  /** As it is stored now. */
  readonly resource: Resource;
}

/**
 * Stores a document. Without a version the last writer wins: a race that is lost is run again against the new state.
 * Throws ApiError 400, 405 or 409.
 */
export async function putResource(
  store: Store,
  judge: Judge,
  write: { readonly raw: unknown; readonly expected: Expected; readonly preconditions: Preconditions },
): Promise<Written> {
  for (let race = 1; ; race += 1) {
    const judged = accepted(await judgePut(judge, store, write.raw, write.expected));
    checkPreconditions(write.preconditions, judged.previous);
    try {
      const resource = await stored(store, judged);
      return { outcome: judged.outcome, resource, revision: await store.revision(), warnings: judged.warnings };
    } catch (error) {
      if (!lostRace(error) || race === MOST_RACES || !mayRetry(write.preconditions)) throw error;
    }
  }
}

/** Hears the guards that need no document, so that 405 comes before any complaint about a body. Throws ApiError 405. */
export function refuseReadOnly(reason: string | undefined): void {
  if (reason !== undefined) throw new ApiError(405, `Cannot write here: ${reason}`);
}

/** Removes a resource and what cannot stay without it. Throws ApiError 400, 404, 405 or 409. */
export async function deleteResource(
  store: Store,
  judge: Judge,
  write: { readonly kind: Kind; readonly key: ResourceKey; readonly preconditions: Preconditions },
): Promise<Written> {
  for (let race = 1; ; race += 1) {
    const previous = await requireResource(store, write.kind, write.key);
    const verdict = await judgeDelete(judge, store, write.kind, previous);
    const warnings = verdict.outcome === "accepted" ? verdict.warnings : refuse(verdict);
    checkPreconditions(write.preconditions, previous);
    try {
      await remove(store, judge, previous);
      return { outcome: "deleted", resource: previous, revision: await store.revision(), warnings };
    } catch (error) {
      if (!lostRace(error) || race === MOST_RACES || !mayRetry(write.preconditions)) throw error;
    }
  }
}

/** The judgement, if it lets the write happen. Throws ApiError otherwise. */
export function accepted(judgement: Judgement): Accepted {
  return judgement.outcome === "invalid" || judgement.outcome === "refused" ? refuse(judgement) : judgement;
}

function refuse(judgement: Exclude<Judgement, Accepted>): never {
  if (judgement.outcome === "invalid") throw invalid(judgement.violations);
  const options = judgement.status === 403 ? { title: "Access Denied" } : {};
  throw new ApiError(judgement.status, judgement.detail, options);
}

async function stored(store: Store, { outcome, resource, previous }: Accepted): Promise<Resource> {
  if (previous === undefined) return store.create(resource);
  return outcome === "unchanged" ? previous : store.update(resource, previous.version);
}

// Dependents go first: after a crash in between the owner is still there, and the same call ends the work. The second
// round takes what was written in between.
async function remove(store: Store, { kinds }: Judge, owner: Resource): Promise<void> {
  await removeAll(store, await dependentsOf(store, kinds, owner));
  await store.delete(owner, owner.version);
  await removeAll(store, await dependentsOf(store, kinds, owner));
}

function lostRace(error: unknown): boolean {
  return error instanceof StoreError && ["conflict", "already_exists", "not_found"].includes(error.code);
}
