/** Remembers results by a key that holds everything the result depends on. Bounded; what is not asked for is forgotten. */
export class Memo {
  readonly #limit: number;
  #young = new Map<string, unknown>();
  #old = new Map<string, unknown>();

  /** `limit` is the number of results after which a generation is full; at most two generations are kept. */
  constructor(limit = 50_000) {
    this.#limit = limit;
  }

  /** The result for a key, made at most once while it is remembered. The key names what is made, too. */
  get<Result>(key: string, make: () => Result): Result {
    const known = this.#young.get(key) ?? this.#old.get(key);
    const result = known === undefined ? make() : (known as Result);
    if (!this.#young.has(key)) this.#remember(key, result);
    return result;
  }

  #remember(key: string, result: unknown): void {
    if (this.#young.size >= this.#limit) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, result);
  }
}
