import { MapDraft } from "./map-draft.ts";

/** Names by key: which things have something in common. */
export type Index = ReadonlyMap<string, ReadonlySet<string>>;

/** An index in the making: what is written to is copied once, everything else is shared with the original. */
export class IndexDraft {
  readonly #sets: MapDraft<ReadonlySet<string>>;
  readonly #copies = new Map<string, Set<string>>();

  constructor(original: Index) {
    this.#sets = new MapDraft(original);
  }

  /** The index as it is now. The same object as before when nothing was written. */
  get current(): Index {
    return this.#sets.current;
  }

  add(key: string, name: string): void {
    if (!this.current.get(key)?.has(name)) this.#copyOf(key).add(name);
  }

  remove(key: string, name: string): void {
    if (!this.current.get(key)?.has(name)) return;
    const names = this.#copyOf(key);
    names.delete(name);
    if (names.size > 0) return;
    this.#copies.delete(key);
    this.#sets.write(key, undefined);
  }

  #copyOf(key: string): Set<string> {
    const known = this.#copies.get(key);
    if (known !== undefined) return known;
    const copy = new Set(this.current.get(key));
    this.#copies.set(key, copy);
    this.#sets.write(key, copy);
    return copy;
  }
}
