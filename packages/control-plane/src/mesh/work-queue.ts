/** Does pieces of work in slices, so that sockets and other requests get their turn between them. */
export class WorkQueue<Item> {
  readonly #sliceMillis: number;
  readonly #work: (item: Item) => void;
  readonly #onIdle: () => void;
  readonly #items = new Set<Item>();
  #running = false;

  /** Each item is worked on once, however often it is added meanwhile. `onIdle` runs when nothing is left. */
  constructor(sliceMillis: number, work: (item: Item) => void, onIdle: () => void) {
    this.#sliceMillis = sliceMillis;
    this.#work = work;
    this.#onIdle = onIdle;
  }

  get size(): number {
    return this.#items.size;
  }

  /** Adds items and starts at once: the first slice is done when this returns. */
  add(items: Iterable<Item>): void {
    for (const item of items) this.#items.add(item);
    if (!this.#running) this.#slice();
  }

  /** Adds an item and lets others go first: when a thousand proxies return at once, none of them blocks the rest. */
  addLater(item: Item): void {
    this.#items.add(item);
    if (this.#running) return;
    this.#running = true;
    setImmediate(() => this.#slice());
  }

  delete(item: Item): void {
    this.#items.delete(item);
  }

  #slice(): void {
    this.#running = true;
    const end = performance.now() + this.#sliceMillis;
    for (const item of this.#items) {
      this.#items.delete(item);
      this.#work(item);
      if (performance.now() >= end && this.#items.size > 0) {
        setImmediate(() => this.#slice());
        return;
      }
    }
    this.#running = false;
    this.#onIdle();
  }
}
