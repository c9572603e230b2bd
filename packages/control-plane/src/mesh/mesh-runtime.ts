import { compile } from "@heddle/engine/compile.ts";
import { type Impact, type MeshChange } from "@heddle/engine/snapshot/apply-changes.ts";
import { emptySnapshot, type MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import { meshExternalService } from "@heddle/model/kinds/mesh-external-service.ts";
import type { MeshSpec } from "@heddle/model/kinds/mesh.ts";
import type { Rejection } from "@heddle/model/kinds/dataplane-insight.ts";
import { formatKri, kriOf } from "@heddle/model/kri.ts";
import { PolicyFailure } from "@heddle/model/policy-failure.ts";
import type { Resource } from "@heddle/model/resource.ts";
import type { Held, Holder } from "../identity/certificates.ts";
import { ExternalSecrets, needsSecret } from "./external-secrets.ts";
import { IdentityMoves } from "./identity-moves.ts";
import { Proxy } from "./proxy.ts";
import { rejectionOf } from "./refusals.ts";
import { Unacknowledged, type Sent } from "./unacknowledged.ts";
import { concerned } from "./concerned.ts";
import { Consumers } from "./consumers.ts";
import { effectOf } from "./policies-in-force.ts";
import { type HeldPolicy, Staging, type StagingOptions } from "./staging.ts";
import { type Behind, MeshTrust } from "./mesh-trust.ts";
import type { Shared } from "./shared.ts";
import { ResourceSets } from "./resource-sets.ts";
import { withOwnResources } from "./with-own-resources.ts";
import { WorkQueue } from "./work-queue.ts";

// How many refused policies are remembered for those who ask what became of a write.
const MOST_HELD = 100;
/** How long a proxy may take to acknowledge a policy before another one is asked, in milliseconds. */
const CANARY_PATIENCE = 2_000;

/** One mesh, alive: turns changes into what its connected proxies should have, touching only those concerned. */
export class MeshRuntime {
  readonly #shared: Shared;
  readonly #staging: Staging;
  #revision = 0;
  readonly #proxies = new Map<string, Proxy>();
  readonly #consumers = new Consumers();
  readonly #externalSecrets = new ExternalSecrets();
  readonly #compilations: WorkQueue<Proxy>;
  readonly #issuing = new Set<Proxy>();
  /** What each proxy was issued last, by name; gone with its Dataplane. */
  readonly #certificates = new Map<string, Held>();
  readonly #unacknowledged = new Unacknowledged();
  #held: readonly { readonly at: number; readonly policy: HeldPolicy }[] = [];
  readonly #trust: MeshTrust;
  readonly #sets: ResourceSets;
  readonly #moves = new IdentityMoves((changes) => this.#staging.apply(changes, this.#revision));

  constructor(mesh: Resource<MeshSpec>, shared: Shared) {
    this.#shared = shared;
    this.#trust = new MeshTrust(shared.authorities);
    this.#sets = new ResourceSets(this.#trust, this.#externalSecrets);
    this.#staging = new Staging(emptySnapshot(mesh, shared.zone), this.#stagingOptions());
    this.#compilations = new WorkQueue(
      shared.sliceMillis,
      (proxy) => this.#compile(proxy),
      () => {
        this.#moves.compiled(this.#parties);
        shared.onProgress();
      },
    );
  }

  /** The mesh as its users want it, without policies that proxies refused. */
  get snapshot(): MeshSnapshot {
    return this.#staging.wanted;
  }

  get proxies(): ReadonlyMap<string, Proxy> {
    return this.#proxies;
  }

  /** What each proxy was issued last, also those that are away. */
  get certificates(): ReadonlyMap<string, Held> {
    return this.#certificates;
  }

  /** Who was sent a certificate that it has not acknowledged, also those that are away since. */
  get unacknowledged(): ReadonlyMap<string, Sent> {
    return this.#unacknowledged.sent;
  }

  /** Whether a certificate is being issued for it. */
  isIssuing(proxy: Proxy): boolean {
    return this.#issuing.has(proxy);
  }

  /** Whether every change it was told of has been turned into configuration. */
  get isSettled(): boolean {
    return this.isSettledAt(Infinity);
  }

  /** The same for changes up to a revision of the store: policies that came later may still be tried on a few proxies. */
  isSettledAt(revision: number): boolean {
    return this.#compilations.size === 0 && this.#issuing.size === 0 && this.#staging.isThrough(revision);
  }

  /** Takes a batch of changes over; `revision` is the store's after it. */
  apply(changes: readonly MeshChange[], revision = this.#revision): void {
    this.#revision = Math.max(revision, this.#revision);
    const secrets = changes.flatMap((change) => this.#externalSecrets.take(change));
    const moves = this.#moves.begin(changes, this.#parties);
    this.#staging.apply([...changes.flatMap((change) => effectOf(change, this.snapshot)), ...moves], this.#revision);
    for (const change of changes) {
      if (change.what === "delete" && change.resource.type === "Dataplane")
        this.#forgetCertificate(change.resource.name);
    }
    // Who needs a Secret gets the new one, and nothing else.
    for (const proxy of secrets.length > 0 ? this.#proxies.values() : [])
      if (proxy.published > 0 && needsSecret(this.snapshot, proxy.compiled, secrets)) this.#publish(proxy);
    // Somebody who was waited for may be known to be gone.
    this.#renewIfTrusted();
  }

  /** Policies that proxies refused since a revision of the store. */
  heldSince(revision: number): readonly HeldPolicy[] {
    return this.#held.flatMap(({ at, policy }) => (at > revision ? [policy] : []));
  }

  /** Proxies that are there and do not have yet what the mesh trusts now. */
  readonly behindInTrust = (): Iterable<Behind> => this.#trust.behind(this);

  stop(): void {
    this.#staging.stop();
  }

  /** New certificates may have waited until everybody trusts who signs them. */
  #renewIfTrusted(): void {
    if (this.#trust.hasArrived(this)) this.renewCertificates();
  }

  get #parties(): Parameters<IdentityMoves["begin"]>[1] {
    return { snapshot: this.snapshot, proxies: this.#proxies, certificates: this.#certificates };
  }

  #hear(proxy: Proxy, rejection?: Rejection): void {
    if (this.#proxies.get(proxy.name) !== proxy) return;
    if (rejection !== undefined) return this.#staging.refused(proxy, rejection);
    this.#unacknowledged.heard(proxy);
    this.#staging.synced(proxy);
    this.#renewIfTrusted();
    this.#moves.heard(proxy, this.#parties);
  }

  #stagingOptions(): StagingOptions {
    const { policies, sliceMillis, onProgress, onHeld } = this.#shared;
    const kinds = new Map([...policies.map(({ kind }) => kind), meshExternalService].map((kind) => [kind.type, kind]));
    return {
      isPolicy: (type) => kinds.has(type),
      kriOf: (policy) => formatKri(kriOf(kinds.get(policy.type)?.shortName ?? policy.type, policy)),
      proxies: () => this.#proxies,
      concerned: (impact, snapshot) => concerned(impact, snapshot, this.#proxies, this.#consumers.byService),
      compile: (proxy) => {
        const before = proxy.published;
        this.#compileOrThrow(proxy);
        return proxy.published !== before;
      },
      onChange: (impact, snapshot, isMeant) => this.#pass(impact, snapshot, isMeant),
      onHeld: (held) => {
        const at = this.#revision;
        this.#held = [...this.#held, ...held.map((policy) => ({ at, policy }))].slice(-MOST_HELD);
        onHeld(held);
      },
      onProgress,
      patience: CANARY_PATIENCE,
      sliceMillis,
    };
  }

  #pass(impact: Impact, snapshot: MeshSnapshot, isMeant: (proxy: Proxy) => boolean): void {
    const again = concerned(impact, snapshot, this.#proxies, this.#consumers.byService);
    for (const proxy of again) if (!isMeant(proxy)) again.delete(proxy);
    // Endpoints go first: they are cheap, and a wrong one costs requests.
    for (const key of impact.endpoints) {
      for (const proxy of this.#consumers.byService.get(key) ?? []) {
        if (!again.has(proxy) && isMeant(proxy)) this.#publishEndpoints(proxy, key);
      }
    }
    this.#compilations.add(again);
  }

  /** Connected proxies to which a change would bring something, endpoints included. Changes nothing. */
  concernedBy(impact: Impact, snapshot: MeshSnapshot): ReadonlySet<Proxy> {
    const found = concerned(impact, snapshot, this.#proxies, this.#consumers.byService);
    for (const key of impact.endpoints) for (const proxy of this.#consumers.byService.get(key) ?? []) found.add(proxy);
    return found;
  }

  /** A proxy connected. Its set comes as soon as it is compiled and its certificate issued. */
  connect(name: string, inspectPort?: Proxy["inspectPort"]): Proxy {
    const old = this.#proxies.get(name);
    const proxy = new Proxy(this.snapshot.mesh.name, name, {
      inspectPort,
      onAnswer: (...answer) => this.#hear(...answer),
    });
    // The certificate outlives the stream, as it does in Envoy: a reconnect is no reason for a new one.
    proxy.held = this.#certificates.get(name);
    if (old !== undefined) this.disconnect(old);
    this.#proxies.set(name, proxy);
    this.#compilations.addLater(proxy);
    return proxy;
  }

  disconnect(proxy: Proxy): void {
    if (this.#proxies.get(proxy.name) === proxy) this.#proxies.delete(proxy.name);
    this.#staging.disconnected(proxy);
    this.#compilations.delete(proxy);
    this.#issuing.delete(proxy);
    this.#renewIfTrusted();
    this.#moves.moveOn(this.#parties);
    this.#consumers.gone(proxy);
    this.#shared.onProgress();
  }

  /** Notes what a proxy held before this control plane started. */
  remember(name: string, known: Held): void {
    this.#certificates.set(name, this.#moves.remember(name, known, this.snapshot));
  }

  /** The proxy lacks its certificate, and the key of the one that was issued is not here: it gets another one. */
  reissue(proxy: Proxy): void {
    proxy.held = undefined;
    this.#forgetCertificate(proxy.name);
    // What it had before is gone as well: it gets what it is meant to have.
    this.#moves.forget(proxy.name, this.snapshot);
    this.#ensureCertificate(proxy);
  }

  /** The mesh trusts something new, or somebody can sign again who could not. */
  trustChanged(): void {
    for (const proxy of this.#proxies.values()) if (this.#ensureCertificate(proxy)) this.#publish(proxy);
  }

  /** Renews what is due. Called when the earliest certificate is. */
  renewCertificates(): void {
    for (const proxy of this.#proxies.values()) this.#ensureCertificate(proxy);
  }

  /** One proxy that cannot be compiled keeps what it has; the others go on. */
  #compile(proxy: Proxy): void {
    try {
      this.#compileOrThrow(proxy);
    } catch (cause) {
      this.#shared.onFailure(
        `Cannot compile the configuration of "${proxy.mesh}/${proxy.name}"; it keeps what it has`,
        cause,
      );
      // A policy that is on its way to all is taken back for that, as if the proxy itself had refused it.
      if (cause instanceof PolicyFailure) this.#staging.refused(proxy, rejectionOf(cause));
    }
  }

  #compileOrThrow(proxy: Proxy): void {
    const snapshot = this.#staging.snapshotFor(proxy);
    const entry = snapshot.dataplanes.get(proxy.name);
    if (entry === undefined || this.#proxies.get(proxy.name) !== proxy) return;
    const { policies, memo } = this.#shared;
    const compiled = withOwnResources(compile(snapshot, entry, policies, memo), entry, proxy);
    this.#consumers.compiled(proxy, compiled);
    proxy.compiled = compiled;
    // A set without its certificate would leave listeners waiting, so it goes out once there is one.
    if (this.#ensureCertificate(proxy) || compiled.identity === undefined) this.#publish(proxy);
  }

  /** Says whether the proxy holds a certificate, perhaps one that is being replaced. */
  #ensureCertificate(proxy: Proxy): boolean {
    const identity = proxy.compiled?.identity;
    if (identity === undefined) return false;
    if (identity.tls.agent !== undefined) return this.#leaveToAgent(proxy);
    if (identity.isEarlier) {
      // Nothing is issued for an identity that is given up; one that is due moves without waiting for others any longer.
      if (proxy.held === undefined || this.#shared.certificates.isDue(proxy.held))
        setImmediate(() => this.#moves.hurry(proxy.name, this.snapshot));
      return proxy.held?.secret.name === identity.tls.identitySecret;
    }
    const holder: Holder = { mesh: proxy.mesh, name: proxy.name, identity };
    const { certificates } = this.#shared;
    // A certificate of another root waits until every proxy trusts that root: otherwise its owner would be refused.
    const waits = (): boolean => certificates.mayWait(proxy.held, holder) && this.#trust.isAwaited(this);
    if (!certificates.isGood(proxy.held, holder) && !waits()) void this.#issue(proxy, holder);
    return proxy.held?.secret.name === identity.tls.identitySecret;
  }

  /** Its certificate comes from elsewhere. What it was issued here may still be in use until then, for as long as it would be. */
  #leaveToAgent(proxy: Proxy): true {
    if (proxy.held === undefined || !this.#shared.certificates.isDue(proxy.held)) return true;
    proxy.held = undefined;
    this.#forgetCertificate(proxy.name);
    setImmediate(() => this.#moves.forget(proxy.name, this.snapshot));
    return true;
  }

  #forgetCertificate(name: string): void {
    this.#certificates.delete(name);
    this.#unacknowledged.forget(name);
  }

  async #issue(proxy: Proxy, holder: Holder): Promise<void> {
    if (this.#issuing.has(proxy)) return;
    this.#issuing.add(proxy);
    try {
      const { problem } = holder.identity;
      if (problem !== undefined) throw new Error(problem);
      const held = await this.#shared.certificates.issue(holder);
      if (!this.#issuing.delete(proxy) || held === undefined) return;
      this.#unacknowledged.send(proxy, held);
      proxy.held = held;
      proxy.certificateProblem = undefined;
      this.#certificates.set(proxy.name, held);
      proxy.issued += 1;
      this.#publish(proxy);
      // The identity may have changed while this one was being signed.
      this.#ensureCertificate(proxy);
    } catch (cause) {
      this.#issuing.delete(proxy);
      proxy.certificateProblem = cause instanceof Error ? cause.message : String(cause);
      this.#shared.onFailure(`Cannot issue a certificate for "${proxy.mesh}/${proxy.name}"`, cause);
    } finally {
      this.#shared.onProgress();
    }
  }

  #publish(proxy: Proxy): void {
    const { compiled } = proxy;
    if (compiled === undefined || !this.#trust.isKnown(compiled, this.snapshot)) return;
    const snapshots = { wanted: this.snapshot, staged: this.#staging.snapshotFor(proxy) };
    proxy.publish(this.#sets.whole(proxy, compiled, snapshots), this.#revision);
  }

  #publishEndpoints(proxy: Proxy, key: string): void {
    const set = this.#sets.withEndpoints(proxy, key, this.snapshot);
    if (set !== undefined) proxy.publish(set, this.#revision);
  }
}
