/** Seconds to wait before the first, second, ... restart in a row. The first comes at once; none is the last. */
export const RESTART_DELAYS = [0, 1, 2, 4, 8, 16, 30] as const;

/** An Envoy that ran this many seconds is taken for healthy: its next crash counts as the first again. */
export const HEALTHY_AFTER_SECONDS = 60;

/** Seconds to wait when Envoy has ended `failures` times in a row before. */
export function restartDelay(failures: number): number {
  return RESTART_DELAYS[failures] ?? RESTART_DELAYS[RESTART_DELAYS.length - 1] ?? 0;
}
