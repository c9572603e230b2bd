import assert from "node:assert/strict";
import type { NewResource, ResourceKey } from "@heddle/model/resource.ts";
import { StoreError, type StoreErrorCode, type StoreEvent } from "@heddle/model/store.ts";

/** A small resource to store: a MeshTimeout of mesh "default" unless told otherwise. */
export function sample(name: string, changes: Partial<NewResource> = {}): NewResource {
  return { type: "MeshTimeout", mesh: "default", name, labels: {}, spec: { idle: "1h" }, ...changes };
}

/** The key of `sample(name)`. */
export function keyOf({ type, mesh, name }: ResourceKey): ResourceKey {
  return { type, mesh, name };
}

/** Asserts that a promise rejects with a StoreError of this code, whose text says what could not be done to what. */
export async function assertRefused(promise: Promise<unknown>, code: StoreErrorCode, thing = ""): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    assert.ok(error instanceof StoreError, `not a StoreError: ${String(error)}`);
    assert.equal(error.code, code);
    assert.match(error.message, /^Cannot /);
    assert.ok(error.message.includes(thing), error.message);
    return true;
  });
}

/** Reads events until there are `count`, however they are batched. */
export async function takeEvents(
  batches: AsyncIterable<readonly StoreEvent[]>,
  count: number,
): Promise<readonly StoreEvent[]> {
  const events: StoreEvent[] = [];
  if (count === 0) return events;
  for await (const batch of batches) {
    events.push(...batch);
    if (events.length >= count) return events;
  }
  return events;
}

/** "put a", "delete b": what happened, without the numbers. */
export function eventText(event: StoreEvent): string {
  return `${event.change} ${event.resource.name}`;
}
