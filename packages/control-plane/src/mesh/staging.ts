import { applyChanges, type Impact, type MeshChange } from "@heddle/engine/snapshot/apply-changes.ts";
import { writtenPolicy } from "@heddle/engine/snapshot/legacy.ts";
import type { MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import type { Rejection } from "@heddle/model/kinds/dataplane-insight.ts";
import { keyText, type Resource } from "@heddle/model/resource.ts";
import { PolicyFailure } from "@heddle/model/policy-failure.ts";
import { insists, type Refusal } from "@heddle/model/roll-out-status.ts";
import { canariesFirst, shareOf } from "./canaries.ts";
import type { Proxy } from "./proxy.ts";
import { type Put, reverted, type Step, type Wave } from "./wave.ts";
import { isFaultOfMachine, refusalsOf } from "./refusals.ts";

/** A policy that proxies refused, and what is in force in its place. */
export interface HeldPolicy {
  readonly policy: Resource;
  readonly inForce: Resource | undefined;
  readonly refusals: readonly Refusal[];
  /** How many proxies had it when it was taken back. */
  readonly exposed: number;
}

export interface StagingOptions {
  /** Whether resources of this type go to a few proxies before they go to all. */
  readonly isPolicy: (type: string) => boolean;
  /** What a policy is called where origins are told. */
  readonly kriOf: (policy: Resource) => string;
  readonly proxies: () => ReadonlyMap<string, Proxy>;
  /** Connected proxies that may need another configuration. */
  readonly concerned: (impact: Impact, snapshot: MeshSnapshot) => ReadonlySet<Proxy>;
  /** Compiles a proxy now; false when nothing changed for it. Throws when it cannot be compiled. */
  readonly compile: (proxy: Proxy) => boolean;
  /** Told what changed for the proxies that `isMeant` accepts. */
  readonly onChange: (impact: Impact, snapshot: MeshSnapshot, isMeant: (proxy: Proxy) => boolean) => void;
  readonly onHeld: (held: readonly HeldPolicy[]) => void;
  readonly onProgress: () => void;
  /** How long a proxy may take to acknowledge before another one is asked, in milliseconds. */
  readonly patience: number;
  /** How long candidates are compiled in one go, in milliseconds. */
  readonly sliceMillis: number;
}

/** Policies that went to all proxies, until everybody has acknowledged them. */
interface Released {
  readonly steps: readonly Step[];
  readonly waiting: Set<Proxy>;
}

// Whoever does not answer while so many later policies went out is not waited for any more.
const MOST_RELEASED = 20;
const MOST_GONE = 2;
const MOST_SILENCES = 3;

/**
 * Policies go to one proxy in a hundred first, at least to one, and to all when these have acknowledged them. Once a
 * proxy refuses what a policy made of its configuration, the policy is taken back everywhere and what it replaced is in
 * force again. Everything else (instances, services, identities) goes to everybody at once.
 */
export class Staging {
  readonly #options: StagingOptions;
  /** With every change but held ones: what users asked for. */
  wanted: MeshSnapshot;
  /** What every proxy may have. */
  #proven: MeshSnapshot;
  #pending: readonly Put[] = [];
  /** Of the store, with the oldest of those. */
  #pendingSince = 0;
  #wave: Wave | undefined;
  #released: readonly Released[] = [];

  constructor(snapshot: MeshSnapshot, options: StagingOptions) {
    this.wanted = snapshot;
    this.#proven = snapshot;
    this.#options = options;
  }

  /** Whether all policies up to a revision of the store went to all proxies, or were taken back. */
  isThrough(revision: number): boolean {
    return this.#wave === undefined || this.#wave.revision > revision;
  }

  /** What a proxy is to be compiled from. */
  snapshotFor(proxy: Proxy): MeshSnapshot {
    return this.#wave?.exposed.has(proxy) ? this.#wave.snapshot : this.#proven;
  }

  /** Takes a batch of changes over; `revision` is the store's after it. */
  apply(changes: readonly MeshChange[], revision: number): void {
    const staged = changes.filter((change) => this.#isStaged(change));
    if (staged.length === 0 && this.#wave === undefined) return this.#advance(changes);
    const rest = changes.filter((change) => !staged.includes(change as Put));
    this.wanted = applyChanges(this.wanted, changes).snapshot;
    if (rest.length > 0) this.#passOn(rest);
    if (this.#pending.length === 0) this.#pendingSince = revision;
    this.#pending = [...this.#pending, ...staged];
    if (this.#wave === undefined) this.#start();
  }

  /** A proxy has taken its newest set over, as far as it will. */
  synced(proxy: Proxy): void {
    this.#released = this.#released.filter(({ waiting }) => !(waiting.delete(proxy) && waiting.size === 0));
    const wave = this.#wave;
    const target = wave?.waiting.get(proxy);
    if (wave === undefined || target === undefined || proxy.acknowledged < target) return;
    wave.waiting.delete(proxy);
    wave.answered += 1;
    this.#releaseIfProven(wave);
  }

  /** A proxy refused a resource. Takes the policies back that shaped it, if it was one of them that changed. */
  refused(proxy: Proxy, rejection: Rejection): void {
    if (isFaultOfMachine(rejection.detail)) return;
    const wave = this.#wave;
    if (wave?.exposed.has(proxy)) {
      const blamed = this.#blamed(wave.steps, rejection);
      if (blamed.length > 0) this.#holdWave(wave, blamed, refusalsOf(proxy, rejection));
      return;
    }
    for (const released of this.#released) {
      const blamed = released.waiting.has(proxy) ? this.#blamed(released.steps, rejection) : [];
      if (blamed.length > 0) return this.#takeBack(released, blamed, refusalsOf(proxy, rejection));
    }
  }

  /** A proxy's stream ended. One that goes while it applies a policy makes the policy suspicious. */
  disconnected(proxy: Proxy): void {
    for (const { waiting } of this.#released) waiting.delete(proxy);
    const wave = this.#wave;
    if (wave === undefined) return;
    wave.exposed.delete(proxy);
    if (!wave.waiting.delete(proxy)) return;
    wave.gone.push(proxy);
    if (wave.gone.length < MOST_GONE) return void this.#search(wave);
    const detail = "its stream ended while it applied this; its log says why";
    const refusals = wave.gone.map(({ name }) => ({ dataplane: name, detail }));
    this.#holdWave(wave, wave.steps, refusals);
  }

  stop(): void {
    clearTimeout(this.#wave?.timer);
    this.#wave = undefined;
  }

  #isStaged(change: MeshChange): change is Put {
    const { proxies, isPolicy } = this.#options;
    return change.what === "put" && isPolicy(change.resource.type) && !insists(change.resource) && proxies().size > 0;
  }

  #advance(changes: readonly MeshChange[]): void {
    const { snapshot, impact } = applyChanges(this.#proven, changes);
    this.wanted = snapshot;
    this.#proven = snapshot;
    this.#options.onChange(impact, snapshot, () => true);
  }

  /** What is not staged reaches those who have the policies of the wave, and those who do not. */
  #passOn(changes: readonly MeshChange[]): void {
    const gone = new Set(changes.flatMap((change) => ("resource" in change ? [keyText(change.resource)] : [])));
    const isLeft = (put: Put): boolean => !gone.has(keyText(put.resource));
    this.#pending = this.#pending.filter(isLeft);
    const wave = this.#wave;
    const proven = applyChanges(this.#proven, changes);
    this.#proven = proven.snapshot;
    if (wave !== undefined) {
      const { snapshot, impact } = applyChanges(wave.snapshot, changes);
      wave.snapshot = snapshot;
      wave.steps = wave.steps.filter(({ put }) => isLeft(put));
      this.#options.onChange(impact, snapshot, (proxy) => wave.exposed.has(proxy));
    }
    this.#options.onChange(proven.impact, proven.snapshot, (proxy) => !(wave?.exposed.has(proxy) ?? false));
  }

  #start(): void {
    if (this.#pending.length === 0) return;
    const puts = [...new Map(this.#pending.map((put) => [keyText(put.resource), put])).values()];
    this.#pending = [];
    const { snapshot, impact } = applyChanges(this.#proven, puts);
    const concerned = this.#options.concerned(impact, snapshot);
    const steps = puts.map((put) => ({ put, previous: writtenPolicy(this.#proven, put.resource) }));
    const wave: Wave = {
      steps,
      snapshot,
      revision: this.#pendingSince,
      candidates: canariesFirst(concerned),
      exposed: new Set(),
      waiting: new Map(),
      wanted: shareOf(this.#options.proxies().size),
      answered: 0,
      gone: [],
      silences: 0,
      isSearching: false,
      isExhausted: false,
      timer: undefined,
    };
    this.#wave = wave;
    void this.#search(wave);
  }

  /** Gives the policies to one proxy after the other until enough of them have something to answer. */
  async #search(wave: Wave): Promise<void> {
    if (wave.isSearching) return;
    wave.isSearching = true;
    let end = performance.now() + this.#options.sliceMillis;
    while (this.#wave === wave && wave.waiting.size + wave.answered < wave.wanted) {
      const next = wave.candidates.next();
      wave.isExhausted = next.done === true;
      if (next.done === true) break;
      this.#expose(wave, next.value);
      if (performance.now() < end) continue;
      await new Promise((resolve) => setImmediate(resolve));
      end = performance.now() + this.#options.sliceMillis;
    }
    wave.isSearching = false;
    if (this.#wave !== wave) return;
    clearTimeout(wave.timer);
    wave.timer = setTimeout(() => this.#lostPatience(wave), this.#options.patience).unref();
    this.#releaseIfProven(wave);
  }

  #expose(wave: Wave, proxy: Proxy): void {
    if (this.#options.proxies().get(proxy.name) !== proxy) return;
    wave.exposed.add(proxy);
    try {
      const isChanged = this.#options.compile(proxy);
      if (!isChanged) return;
      // Who answers in the same breath is not waited for.
      if (proxy.isSynced) wave.answered += 1;
      else wave.waiting.set(proxy, proxy.published);
    } catch (cause) {
      const detail = cause instanceof Error ? cause.message : String(cause);
      const blamed = cause instanceof PolicyFailure ? this.#blamed(wave.steps, cause) : [];
      this.#holdWave(wave, blamed.length > 0 ? blamed : wave.steps, [{ dataplane: proxy.name, detail }]);
    }
  }

  #lostPatience(wave: Wave): void {
    if (this.#wave !== wave) return;
    // Who keeps silent says nothing about the policy; others are asked, and after a few of them everybody gets it.
    wave.waiting.clear();
    wave.silences += 1;
    if (wave.answered > 0 || wave.isExhausted || wave.silences >= MOST_SILENCES) this.#release(wave);
    else void this.#search(wave);
  }

  #releaseIfProven(wave: Wave): void {
    if (this.#wave === wave && !wave.isSearching && wave.waiting.size === 0) this.#release(wave);
  }

  #release(wave: Wave): void {
    clearTimeout(wave.timer);
    this.#wave = undefined;
    const { snapshot, impact } = applyChanges(
      this.#proven,
      wave.steps.map(({ put }) => put),
    );
    // Without anything else under way the two are the same, and then they are one object.
    this.#proven = this.#pending.length === 0 ? this.wanted : snapshot;
    const waiting = new Set(this.#options.concerned(impact, this.#proven));
    this.#released = [...this.#released, { steps: wave.steps, waiting }].slice(-MOST_RELEASED);
    this.#options.onChange(impact, this.#proven, () => true);
    this.#start();
    this.#options.onProgress();
  }

  #blamed(
    steps: readonly Step[],
    { origins = [] }: { readonly origins?: readonly string[] | undefined },
  ): readonly Step[] {
    return steps.filter(({ put }) => origins.includes(this.#options.kriOf(put.resource)));
  }

  #holdWave(wave: Wave, blamed: readonly Step[], refusals: readonly Refusal[]): void {
    clearTimeout(wave.timer);
    this.#wave = undefined;
    const innocent = wave.steps.filter((step) => !blamed.includes(step)).map(({ put }) => put);
    if (innocent.length > 0) this.#pendingSince = wave.revision;
    this.#pending = [...innocent, ...this.#pending];
    this.#forget(blamed);
    for (const proxy of wave.exposed) this.#recompile(proxy);
    this.#tell(blamed, refusals, wave.exposed.size);
  }

  #takeBack(released: Released, blamed: readonly Step[], refusals: readonly Refusal[]): void {
    this.#released = this.#released.filter((each) => each !== released);
    // A newer version may be on its way already: then that one is judged.
    const back = blamed.filter(({ put }) => writtenPolicy(this.wanted, put.resource) === put.resource);
    if (back.length === 0) return;
    this.#forget(back);
    const exposed = this.#options.proxies().size;
    this.#passOn(back.map(reverted));
    this.#tell(back, refusals, exposed);
  }

  #forget(steps: readonly Step[]): void {
    const current = steps.filter(({ put }) => writtenPolicy(this.wanted, put.resource) === put.resource);
    this.wanted = applyChanges(this.wanted, current.map(reverted)).snapshot;
  }

  #recompile(proxy: Proxy): void {
    try {
      this.#options.compile(proxy);
    } catch {
      // It could be compiled before the policy came, so this cannot be the policy's fault; the queue reports it.
    }
  }

  #tell(blamed: readonly Step[], refusals: readonly Refusal[], exposed: number): void {
    const held = blamed.map(({ put, previous }) => ({ policy: put.resource, inForce: previous, refusals, exposed }));
    this.#options.onHeld(held);
    if (this.#wave === undefined) this.#start();
    this.#options.onProgress();
  }
}
