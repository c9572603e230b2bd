import type { Meshes } from "../mesh/meshes.ts";

const LONGEST_SLEEP = 3_600_000;
const SHORTEST_SLEEP = 50;
/** A certificate that is overdue could not be had: who signs tells when it can again, so this is for all other reasons. */
const OVERDUE_SLEEP = 5_000;

/** Wakes when the earliest certificate is due for renewal, and at no other time. */
export class CertificateClock {
  readonly #meshes: Meshes;
  #timer: NodeJS.Timeout | undefined;
  #wakesAt = Number.POSITIVE_INFINITY;
  #look: NodeJS.Timeout | undefined;

  constructor(meshes: Meshes) {
    this.#meshes = meshes;
  }

  /** Somebody got a certificate: it may be the next one to end. Cheap, and may be called as often as it likes. */
  notice(): void {
    this.#look ??= setTimeout(() => {
      this.#look = undefined;
      const due = this.#earliest();
      if (due < this.#wakesAt) this.#sleepUntil(due);
    }, SHORTEST_SLEEP).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#look);
  }

  #sleepUntil(due: number): void {
    clearTimeout(this.#timer);
    this.#wakesAt = due;
    const millis = Math.min(LONGEST_SLEEP, Math.max(SHORTEST_SLEEP, due - Date.now()));
    this.#timer = setTimeout(() => this.#wake(), millis).unref();
  }

  #wake(): void {
    this.#wakesAt = Number.POSITIVE_INFINITY;
    for (const mesh of this.#meshes.all()) mesh.renewCertificates();
    const next = this.#earliest();
    if (Number.isFinite(next)) this.#sleepUntil(next <= Date.now() ? Date.now() + OVERDUE_SLEEP : next);
  }

  #earliest(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const { proxies } of this.#meshes.all()) {
      for (const { held } of proxies.values())
        if (held !== undefined) earliest = Math.min(earliest, held.renewAt.getTime());
    }
    return earliest;
  }
}
