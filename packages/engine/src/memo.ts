/** Remembers results by a key that holds everything the result depends on. Bounded; what is not asked for is forgotten. */
export class Memo {
  readonly #limit: number;
  #young = new Map<string, unknown>();
  #old = new Map<string, unknown>();
  readonly #shared = new Map<string, WeakRef<object>>();
  readonly #unused = new FinalizationRegistry<string>((key) => {
    // By now somebody may have asked for it again.
    if (this.#shared.get(key)?.deref() === undefined) this.#shared.delete(key);
  });

  /** `limit` is the number of results after which a generation is full; at most two generations are kept. */
  constructor(limit = 100_000) {
    this.#limit = limit;
  }

  /**
   * The result for a key, made at most once while it is remembered. The key names what is made, too. With `isCurrent`, a
   * remembered result for which it says no is made anew.
   */
  get<Result extends object>(key: string, make: () => Result, isCurrent?: (known: Result) => boolean): Result {
    const young = this.#young.get(key) as Result | undefined;
    if (young !== undefined && isCurrent?.(young) !== false) return young;
    const old = this.#old.get(key) as Result | undefined;
    const result = young === undefined && old !== undefined && isCurrent?.(old) !== false ? old : make();
    this.#remember(key, result);
    return result;
  }

  /** The one object for a key, for as long as somebody else uses it. */
  share<Result extends object>(key: string, make: () => Result): Result {
    const known = this.#shared.get(key)?.deref() as Result | undefined;
    if (known !== undefined) return known;
    const made = make();
    this.#shared.set(key, new WeakRef(made));
    this.#unused.register(made, key);
    return made;
  }

  #remember(key: string, result: unknown): void {
    if (this.#young.size >= this.#limit) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, result);
  }
}

/** Remembers what follows from an object and a key, for as long as the object lives. For objects that never change. */
export class ObjectMemo<Owner extends object, Result> {
  readonly #results = new WeakMap<Owner, Map<string, Result>>();

  get(owner: Owner, key: string, make: () => Result): Result {
    const known = this.#results.get(owner) ?? new Map<string, Result>();
    if (known.size === 0) this.#results.set(owner, known);
    const result = known.get(key);
    if (result !== undefined || known.has(key)) return result as Result;
    const made = make();
    known.set(key, made);
    return made;
  }
}

const ids = new WeakMap<object, number>();
let lastId = 0;

/** A number for an object: the same for as long as it lives, and never another's. Makes short keys for memos. */
export function idOf(object: object): number {
  const known = ids.get(object);
  if (known !== undefined) return known;
  lastId += 1;
  ids.set(object, lastId);
  return lastId;
}
