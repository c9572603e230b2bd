/** Requests to stop, as a supervisor in Node hears them. */
export interface StopRequests extends Disposable {
  /** True from the first request on. */
  readonly requested: () => boolean;
  /** Settles with the first request. */
  readonly first: Promise<void>;
  /** Settles with the second one: 128 + the number of its signal. */
  readonly second: Promise<number>;
}

const EXIT_CODES = { SIGTERM: 143, SIGINT: 130, SIGHUP: 129 } as const;
type StopSignal = keyof typeof EXIT_CODES;

/**
 * Listens for SIGTERM, SIGINT and SIGHUP, and for a signal object of the caller. A caller that aborts its object
 * because of the same Ctrl-C asks once, not twice: its abort only counts when no signal of the process does.
 */
export function listenForStop(signal: AbortSignal): StopRequests {
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<number>();
  let count = 0;
  const request = (code: number): void => {
    count += 1;
    if (count === 1) first.resolve();
    if (count === 2) second.resolve(code);
  };
  const handlers = Object.entries(EXIT_CODES).map(([name, code]) => [name as StopSignal, () => request(code)] as const);
  const onAbort = (): void => void setImmediate(() => count === 0 && request(EXIT_CODES.SIGTERM));
  for (const [name, handler] of handlers) process.on(name, handler);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  return {
    requested: () => count > 0,
    first: first.promise,
    second: second.promise,
    [Symbol.dispose]: () => {
      for (const [name, handler] of handlers) process.off(name, handler);
      signal.removeEventListener("abort", onAbort);
    },
  };
}
