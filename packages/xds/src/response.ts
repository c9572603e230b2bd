import { compact } from "./due.ts";
import type { EncodedResource } from "./resource.ts";
import type { Due, InFlight, Subscription } from "./subscription.ts";
import { REFERENCED_TYPES } from "./type-url.ts";

/** Which half of what is due: news, or (for what others refer to) the removals that come last. */
export type Phase = "changes" | "removals";

/**
 * Takes the next response out of what is due and notes it in the subscription as sent and in flight.
 * Undefined when there is nothing to say.
 */
export function compose(
  subscription: Subscription,
  due: Due,
  { phase, nonce, maxBytes }: { readonly phase: Phase; readonly nonce: string; readonly maxBytes: number },
): InFlight | undefined {
  const hasChanges = phase === "changes";
  const hasRemovals = phase === "removals" || !REFERENCED_TYPES.has(subscription.typeUrl);
  const resources = hasChanges ? batch(due.changed, subscription.batchLimit, maxBytes) : [];
  const absent = hasChanges ? due.absent : [];
  const removed = hasRemovals ? due.removed : [];
  if (resources.length + absent.length + removed.length === 0 && !subscription.owesAnswer) return undefined;
  note(subscription, resources, removed, absent);
  const rest = due.changed.slice(resources.length);
  subscription.due = compact({
    changed: rest,
    removed: hasRemovals ? [] : due.removed,
    absent: hasChanges ? [] : due.absent,
    wanted: due.wanted,
    awaited: rest.length > 0 && due.awaited,
    refused: due.refused,
  });
  subscription.inFlight = { nonce, resources, removed: [...removed, ...absent], awaited: due.awaited };
  return subscription.inFlight;
}

/** As many of the changed resources as fit into one response, at least one. */
function batch(changed: readonly EncodedResource[], limit: number, maxBytes: number): readonly EncodedResource[] {
  let bytes = 0;
  const end = changed.findIndex((resource, index) => {
    bytes += resource.bytes.length;
    return index > 0 && (index >= limit || bytes > maxBytes);
  });
  return end < 0 ? changed : changed.slice(0, end);
}

/** The client now holds what it was sent, or was told that it does not exist. */
function note(
  subscription: Subscription,
  sent: readonly EncodedResource[],
  removed: readonly string[],
  absent: readonly string[],
): void {
  subscription.owesAnswer = false;
  for (const { name, version } of sent) {
    subscription.held.set(name, version);
    subscription.missing.delete(name);
    subscription.refused.delete(name);
  }
  for (const name of removed) {
    subscription.held.delete(name);
    subscription.refused.delete(name);
    if (subscription.names.has(name)) subscription.missing.add(name);
  }
  for (const name of absent) subscription.missing.add(name);
}
