/** Timers of Node reach no further than 24 days. */
const LONGEST_SLEEP = 3_600_000;

/** Wakes when the earliest of many times has come, and at no other time. */
export class ExpiryClock {
  readonly #now: () => Date;
  readonly #onTime: () => Date | undefined;
  #timer: NodeJS.Timeout | undefined;
  #wakesAt = Number.POSITIVE_INFINITY;

  /** `onTime` ends what has expired, and tells the next time. */
  constructor(now: () => Date, onTime: () => Date | undefined) {
    this.#now = now;
    this.#onTime = onTime;
  }

  /** Something expires then: it may be the next. Cheap, and may be called as often as it likes. */
  notice(expiresAt: Date): void {
    if (expiresAt.getTime() >= this.#wakesAt) return;
    clearTimeout(this.#timer);
    this.#wakesAt = expiresAt.getTime();
    const millis = Math.min(LONGEST_SLEEP, Math.max(0, this.#wakesAt - this.#now().getTime()));
    this.#timer = setTimeout(() => this.#wake(), millis).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #wake(): void {
    this.#wakesAt = Number.POSITIVE_INFINITY;
    const next = this.#onTime();
    if (next !== undefined) this.notice(next);
  }
}
