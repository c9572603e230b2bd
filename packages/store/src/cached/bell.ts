/** Wakes everybody who waits for something new. */
export class Bell {
  readonly #sleepers = new Set<() => void>();

  /** Wakes all who wait now. */
  ring(): void {
    for (const wake of this.#sleepers) wake();
  }

  /** Resolves at the next ring, or when the signal aborts. */
  wait(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#sleepers.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#sleepers.add(wake);
      signal.addEventListener("abort", wake);
    });
  }
}
