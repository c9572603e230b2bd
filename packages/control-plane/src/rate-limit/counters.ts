/** One thing to count. */
export interface Count {
  /** What is counted; two windows of different length are never counted under one key. */
  readonly key: string;
  readonly hits: number;
  readonly intervalMillis: number;
}

/**
 * Counts by fixed windows: the time is cut into pieces of `intervalMillis` from the Unix epoch on, and each begins at
 * zero. Gives what was counted in the current window with these hits, in the order asked. No two calls ever get the same
 * number, whoever makes them: that is what makes a limit hold.
 */
export interface Counters extends AsyncDisposable {
  count(counts: readonly Count[]): readonly number[] | Promise<readonly number[]>;
  /** Whether it can count now. */
  readonly isUp: boolean;
}

/** When the window of a moment began. */
export function windowStart(now: number, intervalMillis: number): number {
  return Math.floor(now / intervalMillis) * intervalMillis;
}
