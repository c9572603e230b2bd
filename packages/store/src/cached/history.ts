import type { StoreEvent } from "@heddle/model/store.ts";

/** Events that were committed together. `revision` is that of the last one. */
export interface Batch {
  readonly revision: number;
  readonly events: readonly StoreEvent[];
}

/** What a reader at some revision finds: more events, nothing new, or that it must look elsewhere. */
export type Step =
  | { readonly state: "batch"; readonly batch: Batch }
  | { readonly state: "caught up" }
  | { readonly state: "forgotten" } // older than this memory
  | { readonly state: "unknown" }; // newer than anything committed

/** The newest changes, in memory, shared by all readers: a reader is only a revision, so a slow one costs nothing. */
export class History {
  #batches: Batch[] = [];
  #count = 0;
  #oldest: number;
  #revision: number;
  readonly #limit: number;

  /** Begins after `revision` and remembers about `limit` events, and the newest batch however large. */
  constructor(revision: number, limit: number) {
    this.#oldest = revision;
    this.#revision = revision;
    this.#limit = limit;
  }

  /** The revision of the newest event. */
  get revision(): number {
    return this.#revision;
  }

  append(events: readonly StoreEvent[]): void {
    const last = events.at(-1);
    if (last === undefined) return;
    this.#batches.push({ revision: last.revision, events: Object.freeze(events.slice()) });
    this.#count += events.length;
    this.#revision = last.revision;
    this.#forget();
  }

  after(revision: number): Step {
    if (revision > this.#revision) return { state: "unknown" };
    if (revision === this.#revision) return { state: "caught up" };
    if (revision < this.#oldest) return { state: "forgotten" };
    const batch = this.#batches[this.#firstAfter(revision)];
    return batch === undefined ? { state: "forgotten" } : { state: "batch", batch: remainder(batch, revision) };
  }

  #forget(): void {
    while (this.#count > this.#limit && this.#batches.length > 1) {
      const dropped = this.#batches.shift();
      if (dropped === undefined) return;
      this.#count -= dropped.events.length;
      this.#oldest = dropped.revision;
    }
  }

  #firstAfter(revision: number): number {
    let low = 0;
    let high = this.#batches.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#batches[middle]?.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** A reader may have stopped inside a batch; it gets the rest of it. */
function remainder(batch: Batch, after: number): Batch {
  const first = batch.events[0];
  if (first === undefined || first.revision > after) return batch;
  return { revision: batch.revision, events: batch.events.filter((event) => event.revision > after) };
}
