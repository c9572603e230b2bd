import { findDue } from "./due.ts";
import type { DeltaRequest, Exchange, ProtocolEvent, ProtocolOutput, StreamEvent } from "./events.ts";
import { beginInterest, changeInterest } from "./interest.ts";
import { isSynced, mayChange, mayRemove, type StreamView } from "./order.ts";
import { refuse } from "./refusal.ts";
import type { EncodedResource, ResourceSet, ResourceVersion } from "./resource.ts";
import { compose, type Phase } from "./response.ts";
import { type Due, type InFlight, newSubscription, NO_RESOURCES, type Subscription } from "./subscription.ts";
import { SEND_ORDER, TYPE_URL } from "./type-url.ts";
import { distrust, expectWarming } from "./warming.ts";

export interface ProtocolOptions {
  /** A response holds at most so many bytes of resources; a single bigger resource is sent alone. */
  readonly maxResponseBytes?: number;
}

/**
 * One delta ADS stream as a state machine: events in, things to send and to report out; no clock, no I/O.
 *
 * The state is changed in place: a copy of what one type holds takes 88 µs at 1,000 names, handling an ACK takes 4 µs
 * (measured), and a core has thousands of streams to serve.
 *
 * The rules, each in its own file:
 * - interest: what the client wants, and what it still has from an earlier stream.
 * - due: the difference. One response a type is in flight; what changes meanwhile is not queued, the difference is
 *   taken again when the answer came.
 * - order: make before break.
 * - warming: a cluster that was sent is followed by its endpoints, changed or not.
 * - refusal: what was refused is not sent again until its content changes; everything else flows on.
 */
export class DeltaStream implements StreamView {
  readonly #maxResponseBytes: number;
  readonly #types = new Map<string, Subscription>();
  #set: ResourceSet | undefined;
  #lastNonce = 0;
  #isGraceOver = false;
  #isSyncReported = false;
  readonly #wanted = new Set<string>();
  #outputs: ProtocolOutput[] = [];
  /** Clusters that were sent before the client asked for any endpoints on this stream. */
  readonly #warmingBeforeEndpoints = new Set<string>();
  /** In the order in which types are served. */
  subscriptions: readonly Subscription[] = [];

  constructor(options: ProtocolOptions = {}) {
    this.#maxResponseBytes = options.maxResponseBytes ?? DEFAULT_MAX_RESPONSE_BYTES;
  }

  /** Takes one event, and says what is to be done about it. */
  handle(event: ProtocolEvent): readonly ProtocolOutput[] {
    switch (event.event) {
      case "request":
        this.#request(event.request);
        break;
      case "set":
        this.#replaceSet(event.set);
        break;
      case "grace-over":
        this.#endGrace();
        break;
    }
    if (this.#set !== undefined) this.#advance(this.#set);
    const outputs = this.#outputs;
    // Not kept until the next event, which may be hours away.
    this.#outputs = [];
    return outputs;
  }

  get(typeUrl: string): Subscription | undefined {
    return this.#types.get(typeUrl);
  }

  due(subscription: Subscription): Due {
    subscription.due ??= findDue(subscription);
    return subscription.due;
  }

  isAskedFor(typeUrl: string): boolean {
    return this.#isGraceOver || this.#types.has(typeUrl);
  }

  count(typeUrl: string): number {
    return this.#set?.get(typeUrl)?.size ?? 0;
  }

  #replaceSet(set: ResourceSet): void {
    this.#set = set;
    this.#isSyncReported = false;
    this.#wanted.clear();
    for (const subscription of this.subscriptions) {
      const desired = set.get(subscription.typeUrl) ?? NO_RESOURCES;
      if (desired === subscription.desired) continue;
      subscription.desired = desired;
      subscription.due = undefined;
    }
  }

  #request(request: DeltaRequest): void {
    const known = this.#types.get(request.typeUrl);
    if (known === undefined) return this.#begin(request);
    // A nonce that is not that of the response in flight answers nothing; what the client asks for counts all the same.
    if (known.inFlight?.nonce === request.nonce) this.#settle(known, known.inFlight, request.error);
    if (changeInterest(known, request)) known.due = undefined;
    this.#checkNames();
  }

  #begin(request: DeltaRequest): void {
    if (request.typeUrl === "") return this.#fail("Cannot serve a discovery request: it has no type_url");
    if (this.#types.size >= MAX_TYPES) return this.#fail(`Cannot serve a stream with more than ${MAX_TYPES} types`);
    const subscription = newSubscription(request.typeUrl);
    subscription.desired = this.#set?.get(request.typeUrl) ?? NO_RESOURCES;
    beginInterest(subscription, request);
    if (request.typeUrl === TYPE_URL.endpoint) this.#beginEndpoints(subscription);
    this.#types.set(request.typeUrl, subscription);
    this.subscriptions = [...this.#types.values()].sort((a, b) => rank(a) - rank(b));
    this.#checkNames();
  }

  /** The client answered the response in flight. */
  #settle(subscription: Subscription, answered: InFlight, error: string | undefined): void {
    subscription.inFlight = undefined;
    const exchange = describe(subscription, answered);
    if (error === undefined) {
      subscription.batchLimit *= 2;
      return this.#report({ event: "acked", ...exchange });
    }
    const rejected = refuse(subscription, answered, error).map(resourceVersion);
    subscription.due = undefined;
    this.#report({ event: "nacked", ...exchange, detail: error, rejected });
  }

  /** Sends what may be sent now: what is new in the order of types, then what nobody uses any more. */
  #advance(set: ResourceSet): void {
    for (const subscription of this.subscriptions)
      if (mayChange(this, subscription)) this.#send(subscription, "changes");
    for (const subscription of this.subscriptions)
      if (mayRemove(this, subscription)) this.#send(subscription, "removals");
    for (const subscription of this.subscriptions) this.#askFor(subscription);
    if (this.#isSyncReported || this.subscriptions.length === 0 || !isSynced(this)) return;
    this.#isSyncReported = true;
    const rejected = this.subscriptions.reduce((sum, subscription) => sum + this.due(subscription).refused, 0);
    this.#report({ event: "synced", set, rejected });
  }

  #send(subscription: Subscription, phase: Phase): void {
    const nonce = String(this.#lastNonce + 1);
    const composed = compose(subscription, this.due(subscription), { phase, nonce, maxBytes: this.#maxResponseBytes });
    if (composed === undefined) return;
    this.#lastNonce += 1;
    this.#isSyncReported = false;
    if (subscription.typeUrl === TYPE_URL.cluster) this.#expectWarming(composed.resources);
    this.#outputs.push({ output: "send", response: { typeUrl: subscription.typeUrl, ...composed } });
    this.#report({ event: "sent", ...describe(subscription, composed) });
  }

  #askFor(subscription: Subscription): void {
    const { typeUrl } = subscription;
    for (const name of this.due(subscription).wanted) {
      if (this.#wanted.has(`${typeUrl} ${name}`)) continue;
      this.#wanted.add(`${typeUrl} ${name}`);
      this.#report({ event: "wanted", typeUrl, name });
    }
  }

  #expectWarming(clusters: readonly EncodedResource[]): void {
    const names = clusters.map(({ name }) => name);
    const endpoints = this.#types.get(TYPE_URL.endpoint);
    if (endpoints !== undefined) expectWarming(endpoints, names);
    else for (const name of names) this.#warmingBeforeEndpoints.add(name);
  }

  /** The first request for endpoints: what the client says it has may be of no use to it. */
  #beginEndpoints(endpoints: Subscription): void {
    if (!this.#types.has(TYPE_URL.cluster)) return distrust(endpoints);
    expectWarming(endpoints, this.#warmingBeforeEndpoints);
    this.#warmingBeforeEndpoints.clear();
  }

  /** Envoy asks for listeners when its first clusters are ready. One that came back without is not ready yet. */
  #endGrace(): void {
    this.#isGraceOver = true;
    const endpoints = this.#types.get(TYPE_URL.endpoint);
    if (endpoints !== undefined && !this.#types.has(TYPE_URL.listener)) distrust(endpoints);
  }

  #checkNames(): void {
    const count = this.subscriptions.reduce((sum, { names }) => sum + names.size, 0);
    if (count > MAX_NAMES) this.#fail(`Cannot serve a stream with more than ${MAX_NAMES} names: it asked for ${count}`);
  }

  #report(event: StreamEvent): void {
    this.#outputs.push({ output: "report", event });
  }

  #fail(reason: string): void {
    this.#outputs.push({ output: "fail", reason });
  }
}

function describe({ typeUrl }: Subscription, { nonce, resources, removed }: InFlight): Exchange {
  return { typeUrl, nonce, resources: resources.map(resourceVersion), removed };
}

function resourceVersion({ name, version }: EncodedResource): ResourceVersion {
  return { name, version };
}

function rank({ typeUrl }: Subscription): number {
  const index = SEND_ORDER.indexOf(typeUrl);
  return index < 0 ? SEND_ORDER.length : index;
}

/** Below the 4 MiB that gRPC clients accept by default, with room for names and framing. */
const DEFAULT_MAX_RESPONSE_BYTES = 3_500_000;
/** Bounds on what one client can make the control plane remember. Envoy has about ten types. */
const MAX_TYPES = 64;
const MAX_NAMES = 200_000;
