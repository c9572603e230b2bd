/** Numbers from 0 up to, not including, a limit: the same in every run, so that runs can be compared. */
export function randomNumbers(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % limit;
  };
}

/** 0, 1, 2, ... */
export function range(length: number): readonly number[] {
  return Array.from({ length }, (_, index) => index);
}
