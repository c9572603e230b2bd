/** Runs jobs a few at a time; the others wait, up to a limit. */
export class BoundedQueue {
  readonly #longest: number;
  readonly #waiting: { readonly start: () => void; readonly reject: (error: Error) => void }[] = [];
  #running = 0;
  /** How many may run at once; may be changed at any time. */
  width: number;

  constructor(width: number, longest: number) {
    this.width = width;
    this.#longest = longest;
  }

  /** Runs a job when its turn has come. Rejects at once when too many wait already. */
  async run<T>(job: () => Promise<T>): Promise<T> {
    if (this.#running >= this.width) await this.#turn();
    else this.#running += 1;
    try {
      return await job();
    } finally {
      this.#running -= 1;
      this.#startNext();
    }
  }

  /** Rejects all that wait. */
  clear(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #turn(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (this.#waiting.length >= this.#longest) {
      reject(new Error(`${this.#longest} requests wait already`));
    } else {
      this.#waiting.push({ start: resolve, reject });
    }
    return promise;
  }

  #startNext(): void {
    while (this.#running < this.width) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#running += 1;
      next.start();
    }
  }
}
