import { isNothing } from "./due.ts";
import type { Due, Subscription } from "./subscription.ts";
import { REFERENCED_TYPES, REFERRING_TYPES, TYPE_URL } from "./type-url.ts";

/** What the rules of order look at: the subscriptions of one stream. */
export interface StreamView {
  readonly subscriptions: Iterable<Subscription>;
  get(typeUrl: string): Subscription | undefined;
  due(subscription: Subscription): Due;
  /** True when the client asked for the type, or will not do so. */
  isAskedFor(typeUrl: string): boolean;
  /** How many resources of a type there are. */
  count(typeUrl: string): number;
}

/** Whether news of this type may go out: what listeners and routes refer to goes first, then listeners, then routes. */
export function mayChange(stream: StreamView, { typeUrl, inFlight }: Subscription): boolean {
  if (inFlight !== undefined) return false;
  if (!REFERRING_TYPES.has(typeUrl)) return true;
  for (const subscription of stream.subscriptions) if (isAwaited(stream, subscription)) return false;
  const listeners = stream.get(TYPE_URL.listener);
  return typeUrl === TYPE_URL.listener || listeners === undefined || isSettled(stream, listeners);
}

/**
 * Whether what others refer to may be removed: when no listener or route can still use it. A refused listener or route
 * leaves the old one at work in the proxy, so nothing is removed while there is one.
 */
export function mayRemove(stream: StreamView, { typeUrl, inFlight }: Subscription): boolean {
  if (inFlight !== undefined || !REFERENCED_TYPES.has(typeUrl)) return false;
  // After a reconnect nobody knows which routes the client has until it asked for them.
  if (!stream.isAskedFor(TYPE_URL.listener) || isStillExpected(stream, TYPE_URL.route)) return false;
  const clusters = stream.get(TYPE_URL.cluster);
  // A client drops the endpoints of a removed cluster on its own.
  if (typeUrl !== TYPE_URL.cluster && clusters !== undefined && !isSettled(stream, clusters)) return false;
  for (const other of stream.subscriptions) {
    if (REFERRING_TYPES.has(other.typeUrl) && !isSettled(stream, other)) return false;
  }
  return !isAnyReferrerRefused(stream);
}

/** True when the client acknowledged all that it asked for, and asked for all that there is. */
export function isSynced(stream: StreamView): boolean {
  const holdsBack = isAnyReferrerRefused(stream);
  for (const subscription of stream.subscriptions) {
    const waits = holdsBack && REFERENCED_TYPES.has(subscription.typeUrl) && hasOnlyRemovals(stream, subscription);
    if (!waits && !isSettled(stream, subscription)) return false;
  }
  return ![TYPE_URL.cluster, TYPE_URL.listener, TYPE_URL.route].some((type) => isStillExpected(stream, type));
}

/** There are resources of this type, and the client is likely to ask for them soon. */
function isStillExpected(stream: StreamView, typeUrl: string): boolean {
  return !stream.isAskedFor(typeUrl) && stream.count(typeUrl) > 0;
}

/**
 * True when listeners and routes have to wait for this type. A cluster holds them up in any case, its endpoints and
 * secrets only when the client has none: a busy service whose endpoints change all the time must not delay a route.
 */
function isAwaited(stream: StreamView, subscription: Subscription): boolean {
  const { typeUrl, inFlight } = subscription;
  if (!REFERENCED_TYPES.has(typeUrl)) return false;
  const due = stream.due(subscription);
  if (typeUrl !== TYPE_URL.cluster) return due.awaited || inFlight?.awaited === true;
  return due.changed.length > 0 || (inFlight?.resources.length ?? 0) > 0;
}

function isSettled(stream: StreamView, subscription: Subscription): boolean {
  return subscription.inFlight === undefined && isNothing(stream.due(subscription));
}

function hasOnlyRemovals(stream: StreamView, subscription: Subscription): boolean {
  const { changed, absent } = stream.due(subscription);
  return subscription.inFlight === undefined && changed.length === 0 && absent.length === 0;
}

function isAnyReferrerRefused(stream: StreamView): boolean {
  for (const other of stream.subscriptions) {
    if (REFERRING_TYPES.has(other.typeUrl) && stream.due(other).refused > 0) return true;
  }
  return false;
}
