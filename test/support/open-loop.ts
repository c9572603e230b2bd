import type { Ending } from "./lab.ts";
import { ask } from "./traffic.ts";

const TICK_MILLIS = 5;

/** What became of requests that were sent at a fixed rate, however late the answers to earlier ones were. */
export interface OpenLoopTally {
  readonly total: number;
  /** How many failed, by reason. */
  readonly failures: ReadonlyMap<string, number>;
  /** Milliseconds from when a request was due to its answer. */
  readonly millis: readonly number[];
  readonly bodies: ReadonlySet<string>;
}

/** Sends requests to some URLs in turns, so many a second together, until it is stopped or the test ends. */
export function openLoop(t: Ending, urls: readonly string[], perSecond: number): () => Promise<OpenLoopTally> {
  const pending = new Set<Promise<void>>();
  const failures = new Map<string, number>();
  const millis: number[] = [];
  const bodies = new Set<string>();
  const started = Date.now();
  let total = 0;
  const send = async (url: string, due: number): Promise<void> => {
    const { status, body } = await ask(url);
    millis.push(Date.now() - due);
    if (status === 200) return void bodies.add(body);
    const reason = `status ${status}: ${body.slice(0, 160)}`;
    failures.set(reason, (failures.get(reason) ?? 0) + 1);
  };
  // A late tick sends all that was due meanwhile: a busy machine makes requests late, not fewer.
  const timer = setInterval(() => {
    for (let due = started; (due = started + (total * 1_000) / perSecond) <= Date.now(); total += 1) {
      const call = send(urls[total % urls.length] ?? "", due);
      pending.add(call);
      void call.finally(() => pending.delete(call));
    }
  }, TICK_MILLIS);
  t.after(() => clearInterval(timer));
  return async () => {
    clearInterval(timer);
    await Promise.all(pending);
    return { total, failures, millis, bodies };
  };
}
