/** A source of chance that gives the same again from the same seed. */
export interface Random {
  /** A whole number from 0 to below `end`. */
  below(end: number): number;
  /** True in one of so many cases. */
  oneIn(cases: number): boolean;
  /** One of these; there must be one. */
  pick<Item>(items: readonly Item[]): Item;
}

/** Mulberry32: 32 bits of state, fast, and even enough to choose among inputs. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const below = (end: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * end);
  };
  return {
    below,
    oneIn: (cases) => below(cases) === 0,
    pick: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new RangeError("Cannot pick one of none");
      return item;
    },
  };
}
