import type { Compiled } from "@heddle/engine/compile.ts";
import type { ServerTrust } from "@heddle/engine/plan/server-trust.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import type { Rejection } from "@heddle/model/kinds/dataplane-insight.ts";
import type { ResourceSet } from "@heddle/xds/resource.ts";
import type { InspectPort } from "../envoy-admin/inspect-port.ts";
import type { Held } from "../identity/certificates.ts";

interface ProxyOptions {
  readonly inspectPort?: InspectPort | undefined;
  /** Told when it acknowledged a set, or with a rejection when it refused a resource. */
  readonly onAnswer?: OnAnswer;
}
type OnAnswer = (proxy: Proxy, rejection?: Rejection) => void;

/** A proxy that is connected: what it should have, and what it said about that. */
export class Proxy {
  readonly mesh: string;
  readonly name: string;
  /** Absent: nobody can look into its Envoy. */
  readonly inspectPort: InspectPort | undefined;
  /** The cluster of the rate limit service, as this proxy reaches it. Absent: there is none for it. */
  rateLimitAccess: (() => EncodedResource) | undefined;
  #compiled: Compiled | undefined;
  /**
   * What servers were verified with since it connected, by the name of the secret. A cluster that is replaced already may
   * still ask for its own: told that there is none, Envoy would take that cluster into use, and every connection fails.
   */
  readonly #serverTrust = new Map<string, ServerTrust>();
  held: Held | undefined;
  /** Why it could not be issued a certificate when that was tried last; an authority that is down says so itself. */
  certificateProblem: string | undefined;
  /** How many certificates it got since it connected. */
  issued = 0;
  set: ResourceSet = new Map();
  /** Revision of the store at which its set last changed. */
  changedAt = 0;
  /** The same for the newest set that it acknowledged as far as it will. */
  syncedAt = 0;
  /** Number of its newest set, and of the newest that it acknowledged: two sets may be of one revision. */
  published = 0;
  acknowledged = 0;
  acknowledgedSet: ResourceSet | undefined;
  /** What Envoy refuses now, by type URL and name. */
  readonly rejections = new Map<string, Rejection>();
  readonly #onAnswer: OnAnswer;
  #push: ((set: ResourceSet) => void) | undefined;
  readonly #known = new WeakMap<ResourceSet, { readonly revision: number; readonly number: number }>();
  readonly #refusedAt = new WeakMap<Rejection, number>();

  constructor(mesh: string, name: string, { inspectPort, onAnswer = () => undefined }: ProxyOptions = {}) {
    this.mesh = mesh;
    this.name = name;
    this.inspectPort = inspectPort;
    this.#onAnswer = onAnswer;
  }

  get compiled(): Compiled | undefined {
    return this.#compiled;
  }

  set compiled(compiled: Compiled | undefined) {
    this.#compiled = compiled;
    for (const trust of compiled?.serverTrust.values() ?? []) this.#serverTrust.set(trust.secret, trust);
  }

  get serverTrust(): ReadonlyMap<string, ServerTrust> {
    return this.#serverTrust;
  }

  /** Connects the stream; it gets the set as soon as there is one. */
  attach(push: (set: ResourceSet) => void): void {
    this.#push = push;
    if (this.set.size > 0) push(this.set);
  }

  /** Makes a set the one that the proxy should have. Does nothing when it is the same; says whether it was not. */
  publish(wanted: ReadonlyMap<string, ReadonlyMap<string, EncodedResource>>, revision: number): boolean {
    const set = keepUnchanged(this.set, wanted);
    if (set === this.set) return false;
    this.set = set;
    this.changedAt = revision;
    this.published += 1;
    this.#known.set(set, { revision, number: this.published });
    this.#forgetOldRejections();
    this.#push?.(set);
    return true;
  }

  /** Notes that the proxy has taken over a set. */
  synced(set: ResourceSet): void {
    const { revision = 0, number = 0 } = this.#known.get(set) ?? {};
    this.syncedAt = Math.max(this.syncedAt, revision);
    if (number >= this.acknowledged) this.acknowledgedSet = set;
    this.acknowledged = Math.max(this.acknowledged, number);
    this.#onAnswer(this);
  }

  /** Notes what Envoy refuses; the key is made of type URL and name. */
  refuse(key: string, rejection: Rejection): void {
    this.rejections.set(key, rejection);
    this.#refusedAt.set(rejection, this.changedAt);
    this.#onAnswer(this, rejection);
  }

  /** What Envoy refuses since its set changed after a revision of the store: older refusals are not about later changes. */
  refusedSince(revision: number): readonly Rejection[] {
    return [...this.rejections.values()].filter((each) => (this.#refusedAt.get(each) ?? Infinity) > revision);
  }

  /** Whether everything it should have is acknowledged, or refused for good. */
  get isSynced(): boolean {
    return this.compiled !== undefined && this.acknowledged >= this.published;
  }

  #forgetOldRejections(): void {
    for (const [key, { typeUrl, resources }] of this.rejections) {
      if (!resources.some((name) => this.set.get(typeUrl)?.has(name))) this.rejections.delete(key);
    }
  }
}

/** A type whose resources stayed keeps its Map, so that streams skip it; if all stayed, the set itself is kept. */
function keepUnchanged(old: ResourceSet, wanted: ResourceSet): ResourceSet {
  const kept = [...wanted].map(([typeUrl, resources]) => {
    const before = old.get(typeUrl);
    return [typeUrl, before !== undefined && isSame(before, resources) ? before : resources] as const;
  });
  const same = kept.length === old.size && kept.every(([typeUrl, resources]) => old.get(typeUrl) === resources);
  return same ? old : new Map(kept);
}

function isSame(a: ReadonlyMap<string, EncodedResource>, b: ReadonlyMap<string, EncodedResource>): boolean {
  if (a.size !== b.size) return false;
  for (const [name, resource] of b) {
    const other = a.get(name);
    if (other !== resource && other?.version !== resource.version) return false;
  }
  return true;
}
