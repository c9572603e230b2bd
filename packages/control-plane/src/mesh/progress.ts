/**
 * Tells whoever waits that something moved on. Many notices in one turn of the event loop are one: a push to a thousand
 * proxies must not wake everybody a thousand times.
 */
export class Progress {
  #next = Promise.withResolvers<void>();
  #isScheduled = false;
  readonly #listeners: (() => void)[] = [];

  /** Calls a function at each notice, once for all notices of a turn. */
  onNotify(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Something moved on. Cheap, and may be called as often as it likes. */
  notify(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      const { resolve } = this.#next;
      this.#next = Promise.withResolvers<void>();
      resolve();
      for (const listener of this.#listeners) listener();
    });
  }

  /**
   * The next notice. Who looks at the state and calls this in the same turn misses nothing. Throws the signal's reason
   * when it aborts.
   */
  async wait(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await Promise.race([this.#next.promise, aborted]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }
}
