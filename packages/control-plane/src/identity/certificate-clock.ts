import type { Meshes } from "../mesh/meshes.ts";

const LONGEST_SLEEP = 3_600_000;
const SHORTEST_SLEEP = 50;

/** Wakes when the earliest certificate is due for renewal, and at no other time. */
export class CertificateClock {
  readonly #meshes: Meshes;
  #timer: NodeJS.Timeout | undefined;
  #wakesAt = Number.POSITIVE_INFINITY;

  constructor(meshes: Meshes) {
    this.#meshes = meshes;
  }

  /** Somebody got a certificate: it may be the next one to end. */
  notice(): void {
    const due = this.#earliest();
    if (due >= this.#wakesAt) return;
    this.#sleepUntil(due);
  }

  stop(): void {
    clearTimeout(this.#timer);
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
    if (Number.isFinite(next)) this.#sleepUntil(Math.max(next, Date.now() + SHORTEST_SLEEP));
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
