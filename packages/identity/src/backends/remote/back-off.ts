const FIRST = 500;
const LONGEST = 30_000;

/** How long to wait before a try, in milliseconds: twice as long each time up to half a minute, half of it by chance. */
export function backOff(tries: number, chance: number): number {
  const full = Math.min(LONGEST, FIRST * 2 ** Math.min(tries, 20));
  return Math.round(full / 2 + (full / 2) * chance);
}
