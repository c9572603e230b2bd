/**
 * Remembers results by what they are made of. A result belongs to an object, its owner, and is gone when that is gone.
 * What is not asked for any more is forgotten, too, once much else was made; how much follows from how many owners are in use.
 */
export class Memo {
  readonly #results = new WeakMap<object, Results>();
  readonly #generations: Generations;
  readonly #shared = new Map<string, WeakRef<object>>();
  readonly #unused = new FinalizationRegistry<string>((key) => {
    // By now somebody may have asked for it again.
    if (this.#shared.get(key)?.deref() === undefined) this.#shared.delete(key);
  });

  /** A generation is full with `least` results, or with `each` times as many as owners are in use when that is more. */
  constructor(least = 10_000, each = 16) {
    this.#generations = new Generations(least, each);
  }

  /** What is remembered of an owner. Whatever else a result depends on has to be in its key, and what is made, too. */
  of(owner: object): Results {
    const known = this.#results.get(owner);
    if (known !== undefined) return known;
    const made = new Results(this.#generations);
    this.#results.set(owner, made);
    return made;
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
}

/** Tells when a generation of results is over. What was not asked for during a whole one is forgotten. */
class Generations {
  current = 0;
  readonly #least: number;
  readonly #each: number;
  #results = 0;
  #owners = 0;

  constructor(least: number, each: number) {
    this.#least = least;
    this.#each = each;
  }

  /** An owner is in use that was not yet in this generation. */
  countOwner(): void {
    this.#owners += 1;
  }

  countResult(): void {
    this.#results += 1;
    if (this.#results < Math.max(this.#least, this.#each * this.#owners)) return;
    this.current += 1;
    this.#results = 0;
    this.#owners = 0;
  }
}

/** What is remembered of one owner: at most two generations. */
export class Results {
  readonly #generations: Generations;
  #generation = -1;
  #young = new Map<string, unknown>();
  #old: ReadonlyMap<string, unknown> | undefined;

  constructor(generations: Generations) {
    this.#generations = generations;
  }

  /** The result for a key, made at most once while it is remembered; anew when `isCurrent` says no to the one that is. */
  get<Result extends object>(key: string, make: () => Result, isCurrent?: (known: Result) => boolean): Result {
    this.#age();
    const young = this.#young.get(key) as Result | undefined;
    if (young !== undefined && isCurrent?.(young) !== false) return young;
    const old = this.#old?.get(key) as Result | undefined;
    const result = young === undefined && old !== undefined && isCurrent?.(old) !== false ? old : make();
    this.#young.set(key, result);
    this.#generations.countResult();
    return result;
  }

  #age(): void {
    const { current } = this.#generations;
    if (this.#generation === current) return;
    this.#old = this.#generation === current - 1 ? this.#young : undefined;
    this.#young = new Map();
    this.#generation = current;
    this.#generations.countOwner();
  }
}

/** Remembers results by a text that holds everything they depend on. Bounded; what is not asked for is forgotten. */
export class TextMemo {
  readonly #results: Results;

  /** `limit` is the number of results after which a generation is full; at most two generations are kept. */
  constructor(limit: number) {
    this.#results = new Results(new Generations(limit, 0));
  }

  get<Result extends object>(key: string, make: () => Result): Result {
    return this.#results.get(key, make);
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
