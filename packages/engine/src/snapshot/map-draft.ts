/** A map in the making: reads fall through to the original, which is copied at the first write and never changed. */
export class MapDraft<Value> {
  readonly #original: ReadonlyMap<string, Value>;
  #copy: Map<string, Value> | undefined;

  constructor(original: ReadonlyMap<string, Value>) {
    this.#original = original;
  }

  /** The map as it is now. The same object as before when nothing was written. */
  get current(): ReadonlyMap<string, Value> {
    return this.#copy ?? this.#original;
  }

  /** Sets a value; undefined removes the key. */
  write(key: string, value: Value | undefined): void {
    this.#copy ??= new Map(this.#original);
    if (value === undefined) this.#copy.delete(key);
    else this.#copy.set(key, value);
  }
}
