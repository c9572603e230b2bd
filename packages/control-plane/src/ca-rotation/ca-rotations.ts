import type { CaRotationWish } from "@heddle/api/ports.ts";
import type { CaRotationReport } from "@heddle/api/reports.ts";
import { enabledBackend } from "@heddle/model/kinds/mesh.ts";
import { beginRotation, rotatedBy, RotationRefused } from "./begin.ts";
import { observedRotation } from "./observed.ts";
import type { RotatedMesh, RotationOptions } from "./options.ts";
import {
  type CaRotation,
  readRotation,
  type RotationPlace,
  rotationPlaces,
  rotationSecretName,
  writeRotation,
} from "./record.ts";
import { reportOf } from "./report.ts";
import { nextStep, retiredRoots, settledAt } from "./step.ts";

/** A rotation that is under way, or the last one at its place. */
interface Entry {
  readonly place: RotationPlace;
  rotation: CaRotation;
  waitsFor?: string | undefined;
  /** Everything about one place happens one after the other. */
  queue: Promise<void>;
  isQueued: boolean;
}

const LONGEST_SLEEP = 3_600_000;
const SHORTEST_SLEEP = 50;
/** A store that failed is tried again after so many milliseconds, should nothing else happen before. */
const PAUSE = 1_000;

/**
 * Replaces certificate authorities, one step after the other: a step is taken when what it waits for has happened, as told
 * by the proxies. What is under way is in the store, so a control plane that starts goes on where the last one was.
 */
export class CaRotations {
  readonly #options: RotationOptions;
  readonly #entries = new Map<string, Entry>();
  #timer: NodeJS.Timeout | undefined;
  #wakesAt = Number.POSITIVE_INFINITY;

  constructor(options: RotationOptions) {
    this.#options = options;
    options.progress.onNotify(() => this.look());
  }

  /** Takes up what was under way when the last control plane ended. */
  async load(): Promise<void> {
    const { meshes, secrets, onFailure } = this.#options;
    for (const { snapshot } of meshes.all()) {
      for (const place of await rotationPlaces(secrets, snapshot.mesh.name)) {
        try {
          const rotation = await readRotation(secrets, place);
          if (rotation !== undefined) this.#take(place, rotation);
        } catch (cause) {
          onFailure(cause instanceof Error ? cause.message : String(cause), cause);
        }
      }
    }
    this.look();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Begins a rotation, or takes up the one that is wanted and under way. Throws RotationRefused. */
  async start(place: RotationPlace, wish: CaRotationWish, startedBy: string): Promise<CaRotationReport> {
    const at = this.#at(place);
    const known = this.#entries.get(keyOf(place));
    const begin = (): Promise<void> => this.#startNow(at, wish, startedBy);
    await (known === undefined ? begin() : this.#inTurn(known, begin));
    const report = this.current(place);
    if (report === undefined) throw new RotationRefused(404, `mesh "${place.mesh}" was deleted`);
    return report;
  }

  /** The rotation that is under way at a place, or the last one; undefined when there never was one. */
  current(place: RotationPlace): CaRotationReport | undefined {
    const runtime = this.#options.meshes.get(place.mesh);
    if (runtime === undefined) return undefined;
    const at = { place, runtime };
    const { rotation, waitsFor } = this.#entries.get(keyOf(place)) ?? {};
    if (rotation !== undefined && isUnderWay(rotation)) return reportOf(this.#options, at, rotation, waitsFor);
    // Where others hold the authority, it may have been replaced since.
    const observed = observedRotation(this.#options, at, rotation);
    const shown = observed ?? rotation;
    return shown === undefined ? undefined : reportOf(this.#options, at, shown, undefined);
  }

  /** The state now, and again whenever it is another, until there is nothing more to wait for. */
  async *follow(place: RotationPlace, signal: AbortSignal): AsyncGenerator<CaRotationReport> {
    let said = "";
    for (;;) {
      const report = this.current(place);
      if (report === undefined) return;
      const text = JSON.stringify(report);
      if (text !== said) yield report;
      said = text;
      if (report.done) return;
      await this.#options.progress.wait(signal);
    }
  }

  /** Something may have happened that a rotation waits for. Cheap while none is under way. */
  look(): void {
    for (const entry of this.#entries.values()) if (isUnderWay(entry.rotation)) this.#advanceSoon(entry);
    this.#sleep();
  }

  async #startNow(at: RotatedMesh, wish: CaRotationWish, startedBy: string): Promise<void> {
    const { place } = at;
    const key = keyOf(place);
    const known = this.#entries.get(key);
    const running = known !== undefined && isUnderWay(known.rotation) ? known.rotation : undefined;
    if (running !== undefined && isWanted(running, wish)) {
      if (wish.removeOld && !running.removeOld) await this.#store(place, { ...running, removeOld: true });
      return;
    }
    if (running !== undefined && (running.phase !== "withdrawing" || running.removeOld))
      throw new RotationRefused(
        409,
        `${nameOf(running)} is under way; wait until it is over (phase "${running.phase}")`,
      );
    if (known !== undefined && isOver(known.rotation, at, wish)) {
      if (wish.removeOld && !known.rotation.removeOld)
        await this.#store(place, { ...known.rotation, phase: "withdrawing", removeOld: true });
      return;
    }
    const rotated = rotatedBy(at, wish);
    const begun = await beginRotation(this.#options, at, rotated);
    const retired = known?.rotation.retired;
    const rotation = { ...begun, removeOld: wish.removeOld, startedBy, ...(retired === undefined ? {} : { retired }) };
    await this.#store(place, rotation);
    this.#options.log("rotation of a certificate authority begins", { mesh: place.mesh, ...rotated, by: startedBy });
  }

  async #store(place: RotationPlace, rotation: CaRotation): Promise<void> {
    await writeRotation(this.#options.secrets, place, rotation);
    this.#take(place, rotation);
    this.#options.progress.notify();
  }

  #take(place: RotationPlace, rotation: CaRotation): void {
    const known = this.#entries.get(keyOf(place));
    if (known === undefined)
      this.#entries.set(keyOf(place), { place, rotation, queue: Promise.resolve(), isQueued: false });
    else {
      known.rotation = rotation;
      known.waitsFor = undefined;
    }
  }

  #inTurn(entry: Entry, work: () => Promise<void>): Promise<void> {
    const done = entry.queue.then(work);
    entry.queue = done.catch(() => undefined);
    return done;
  }

  #advanceSoon(entry: Entry): void {
    if (entry.isQueued) return;
    entry.isQueued = true;
    void this.#inTurn(entry, async () => {
      entry.isQueued = false;
      await this.#advance(entry);
    });
  }

  async #advance(entry: Entry): Promise<void> {
    const { meshes, log, onFailure, progress } = this.#options;
    const { place } = entry;
    const runtime = meshes.get(place.mesh);
    if (runtime === undefined) {
      this.#entries.delete(keyOf(place));
      return;
    }
    try {
      const step = await nextStep(this.#options, { place, runtime }, entry.rotation);
      if ("waitsFor" in step) {
        if (entry.waitsFor !== step.waitsFor) progress.notify();
        entry.waitsFor = step.waitsFor;
        return;
      }
      await this.#store(place, step.to);
      log(`rotation of a certificate authority: ${step.to.phase}`, { mesh: place.mesh, ...step.to.rotated });
    } catch (cause) {
      entry.waitsFor = cause instanceof Error ? cause.message : String(cause);
      onFailure(`Cannot go on with ${nameOf(entry.rotation)} of mesh "${place.mesh}"; it is tried again`, cause);
      setTimeout(() => this.look(), PAUSE).unref();
    }
  }

  /** Sleeps until a root is trusted no more, or may be removed: what no proxy tells. */
  #sleep(): void {
    const end = this.#nextEnd();
    if (end >= this.#wakesAt) return;
    clearTimeout(this.#timer);
    this.#wakesAt = end;
    const millis = Math.min(LONGEST_SLEEP, Math.max(SHORTEST_SLEEP, end - this.#options.now().getTime()));
    this.#timer = setTimeout(() => this.#wake(), millis).unref();
  }

  #wake(): void {
    this.#wakesAt = Number.POSITIVE_INFINITY;
    for (const mesh of this.#options.meshes.all()) mesh.trustChanged();
    this.look();
  }

  #nextEnd(): number {
    let end = Number.POSITIVE_INFINITY;
    const note = (time: Date): void => void (end = Math.min(end, time.getTime()));
    for (const { snapshot } of this.#options.meshes.all())
      for (const { roots } of this.#options.authorities.describe(snapshot.mesh.name))
        for (const { until } of roots) if (until !== undefined) note(until);
    for (const { place, rotation } of this.#entries.values()) {
      for (const { until } of retiredRoots(this.#options, place.mesh, rotation)) note(until);
      if (isUnderWay(rotation)) end = Math.min(end, settledAt(this.#options, rotation));
    }
    return end;
  }

  #at(place: RotationPlace): RotatedMesh {
    const runtime = this.#options.meshes.get(place.mesh);
    if (runtime === undefined) throw new RotationRefused(404, `there is no mesh "${place.mesh}"`);
    return { place, runtime };
  }
}

function keyOf(place: RotationPlace): string {
  return `${place.mesh}/${rotationSecretName(place)}`;
}

function isUnderWay({ phase }: CaRotation): boolean {
  return phase === "trusting" || phase === "issuing" || phase === "withdrawing";
}

/** Whether a rotation is what somebody wants who asks again. One that only withdraws is over for whoever wants a new root. */
function isWanted({ rotated, phase, removeOld }: CaRotation, { to }: CaRotationWish): boolean {
  if (rotated.what === "backend") return rotated.to === to;
  return to === undefined && (phase !== "withdrawing" || removeOld);
}

/** Whether this very move to another backend has come to its end: asked for again, by one who stopped waiting, it is no mistake. */
function isOver({ rotated, phase }: CaRotation, { runtime }: RotatedMesh, { to }: CaRotationWish): boolean {
  const signing = enabledBackend(runtime.snapshot.mesh.spec)?.name;
  return phase === "done" && rotated.what === "backend" && rotated.to === to && signing === to;
}

function nameOf({ rotated }: CaRotation): string {
  switch (rotated.what) {
    case "root":
      return `the rotation of the root of "${rotated.backend}"`;
    case "backend":
      return `the rotation from "${rotated.from}" to "${rotated.to}"`;
    case "identity":
      return `the rotation of the root of MeshIdentity "${rotated.identity}"`;
  }
}
