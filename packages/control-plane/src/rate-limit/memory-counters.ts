import { RateLimitFailure } from "@heddle/xds/rate-limit/hooks.ts";
import { type Count, type Counters, windowStart } from "./counters.ts";

export interface MemoryCountersOptions {
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** More counters than so many are not kept. */
  readonly most?: number;
}

interface Counter {
  start: number;
  end: number;
  count: number;
}

/** Far more than there are limits: each key is a limit of a service, and never something that a caller sent. */
const MOST = 100_000;
const FIRST_SWEEP = 1_000;

/** Counts in this process. A counter whose window is over is dropped when there are twice as many as after the last look. */
export function memoryCounters({ now, most = MOST }: MemoryCountersOptions): Counters & { readonly size: number } {
  const counters = new Map<string, Counter>();
  let sweepAt = Math.min(FIRST_SWEEP, most);
  const sweep = (at: number): void => {
    for (const [key, { end }] of counters) if (end <= at) counters.delete(key);
    sweepAt = Math.min(Math.max(FIRST_SWEEP, counters.size * 2), most);
  };
  const add = (key: string, fresh: Counter, at: number): void => {
    if (counters.size >= sweepAt) sweep(at);
    if (counters.size >= most) {
      throw new RateLimitFailure("unavailable", `Cannot count one thing more: ${most} are counted already`);
    }
    counters.set(key, fresh);
  };
  const countOne = ({ key, hits, intervalMillis }: Count): number => {
    const at = now();
    const start = windowStart(at, intervalMillis);
    const known = counters.get(key);
    if (known === undefined) add(key, { start, end: start + intervalMillis, count: hits }, at);
    // A clock that was set back opens no window for a second time.
    else if (known.start < start) Object.assign(known, { start, end: start + intervalMillis, count: hits });
    else known.count += hits;
    return known?.count ?? hits;
  };
  return {
    get size() {
      return counters.size;
    },
    isUp: true,
    count: (counts) => counts.map(countOne),
    [Symbol.asyncDispose]: async () => undefined,
  };
}
