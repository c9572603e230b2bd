import type { DeltaRequest } from "./events.ts";
import type { Subscription } from "./subscription.ts";
import { WILDCARD_TYPES } from "./type-url.ts";

/** Takes in the first request of a type on a stream: all that the client wants, and all that it has. */
export function beginInterest(subscription: Subscription, request: DeltaRequest): void {
  for (const name of request.subscribe) add(subscription, name);
  if (request.subscribe.length === 0) subscription.wildcard = WILDCARD_TYPES.has(request.typeUrl);
  for (const [name, version] of Object.entries(request.initialVersions)) {
    if (isWanted(subscription, name)) subscription.held.set(name, version);
  }
  subscription.owesAnswer = subscription.wildcard && subscription.held.size === 0;
}

/** Takes in a later request. True when it asks for anything. */
export function changeInterest(subscription: Subscription, request: DeltaRequest): boolean {
  for (const name of request.unsubscribe) drop(subscription, name);
  for (const name of request.subscribe) add(subscription, name);
  return request.subscribe.length > 0 || request.unsubscribe.length > 0;
}

/** True when the client asked for this name, or for everything. */
export function isWanted(subscription: Subscription, name: string): boolean {
  return subscription.wildcard || subscription.names.has(name);
}

function add(subscription: Subscription, name: string): void {
  if (name === EVERYTHING) {
    subscription.owesAnswer = !subscription.wildcard;
    subscription.wildcard = true;
    return;
  }
  subscription.names.add(name);
  // Asking again for what one has means that it was dropped in between: it is sent again.
  forget(subscription, name);
}

function drop(subscription: Subscription, name: string): void {
  if (name !== EVERYTHING) {
    subscription.names.delete(name);
    // While everything is wanted, the client has to hear whether this one is part of everything.
    return forget(subscription, name);
  }
  subscription.wildcard = false;
  for (const held of subscription.held.keys()) {
    if (!subscription.names.has(held)) forget(subscription, held);
  }
}

/** Forgets what the client was told about a name, so that it is told again. */
export function forget(subscription: Subscription, name: string): void {
  subscription.held.delete(name);
  subscription.missing.delete(name);
  subscription.refused.delete(name);
}

const EVERYTHING = "*";
