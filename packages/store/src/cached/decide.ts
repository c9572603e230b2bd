import { keyText, type Resource, type ResourceKey } from "@heddle/model/resource.ts";
import { StoreError, type StoreEvent } from "@heddle/model/store.ts";
import { resourceOf, type Draft } from "./draft.ts";

/** What a caller wants to change. */
export type Intent =
  | { readonly do: "create"; readonly draft: Draft }
  | { readonly do: "update"; readonly draft: Draft; readonly expectedVersion: number }
  | { readonly do: "delete"; readonly key: ResourceKey; readonly expectedVersion: number | undefined };

/** What becomes of an intent: an event for the log (with the JSON of what is put), or a refusal. */
export type Outcome =
  | { readonly accepted: true; readonly event: StoreEvent; readonly json: string }
  | { readonly accepted: false; readonly error: StoreError };

/** The committed state that a batch of intents meets. */
export interface Ground {
  readonly current: (key: ResourceKey) => Resource | undefined;
  readonly revision: number;
  /** The time of the writes, RFC 3339 in UTC. */
  readonly now: string;
}

/**
 * Decides a batch of intents, each as if the accepted ones before it were done already. Changes nothing. The outcomes
 * hold only once the accepted events are committed, also the refusals: one may rest on an earlier intent of the batch.
 */
export function decide(intents: readonly Intent[], ground: Ground): readonly Outcome[] {
  const touched = new Map<string, Resource | undefined>();
  let revision = ground.revision;
  return intents.map((intent) => {
    const key = intent.do === "delete" ? intent.key : intent.draft.key;
    const id = JSON.stringify([key.type, key.mesh, key.name]);
    const current = touched.has(id) ? touched.get(id) : ground.current(key);
    const outcome = decideOne(intent, current, { revision: revision + 1, now: ground.now });
    if (outcome.accepted) {
      revision += 1;
      touched.set(id, outcome.event.change === "put" ? outcome.event.resource : undefined);
    }
    return outcome;
  });
}

interface Moment {
  readonly revision: number;
  readonly now: string;
}

function decideOne(intent: Intent, current: Resource | undefined, moment: Moment): Outcome {
  switch (intent.do) {
    case "create":
      return current === undefined
        ? put(intent.draft, undefined, moment)
        : refuse("already_exists", "create", intent.draft.key);
    case "update":
      if (current === undefined) return refuse("not_found", "update", intent.draft.key);
      if (current.version !== intent.expectedVersion) return conflict("update", current, intent.expectedVersion);
      return put(intent.draft, current, moment);
    case "delete":
      if (current === undefined) return refuse("not_found", "delete", intent.key);
      if (intent.expectedVersion !== undefined && intent.expectedVersion !== current.version) {
        return conflict("delete", current, intent.expectedVersion);
      }
      return accept({ change: "delete", revision: moment.revision, resource: current }, "");
  }
}

/** The version is the revision of the write: it grows, and a resource made again after a delete does not repeat one. */
function put(draft: Draft, previous: Resource | undefined, { revision, now }: Moment): Outcome {
  const stamp = { creationTime: previous?.creationTime ?? now, modificationTime: now, version: revision };
  const resource = resourceOf(draft.key, draft.content, stamp);
  const event: StoreEvent = { change: "put", revision, resource };
  return accept(previous === undefined ? event : { ...event, previous }, draft.json);
}

function accept(event: StoreEvent, json: string): Outcome {
  return { accepted: true, event: Object.freeze(event), json };
}

const STATES = {
  already_exists: "it exists already; update it, or delete it first",
  not_found: "no such resource; check its type, mesh and name",
} as const;

function refuse(code: keyof typeof STATES, verb: string, key: ResourceKey): Outcome {
  const state = STATES[code];
  return { accepted: false, error: new StoreError(code, `Cannot ${verb} "${keyText(key)}": ${state}`) };
}

function conflict(verb: string, current: Resource, expected: number): Outcome {
  const state = `it is at version ${current.version} now, not ${expected}; read it again and repeat the change`;
  return { accepted: false, error: new StoreError("conflict", `Cannot ${verb} "${keyText(current)}": ${state}`) };
}
