import { type Store, StoreError } from "@heddle/model/store.ts";

/** A store that can be made to fail. */
export interface FailingStore extends Store {
  /** Writes until now. */
  readonly writes: number;
  /** From now on: which of the next writes fail, counted from 1; none unless set. */
  fail(isFailing: (write: number) => boolean): void;
}

/** Puts a switch before a store: what is refused there is never written, as when the process dies or the disk is full. */
export function failingStore(store: Store): FailingStore {
  let writes = 0;
  let isFailing = (_: number): boolean => false;
  const guarded = async <T>(write: () => Promise<T>): Promise<T> => {
    writes += 1;
    if (isFailing(writes)) throw new StoreError("unavailable", "Cannot write: this store is made to fail");
    return await write();
  };
  return {
    get writes() {
      return writes;
    },
    fail: (which) => {
      writes = 0;
      isFailing = which;
    },
    create: (...of) => guarded(() => store.create(...of)),
    update: (...of) => guarded(() => store.update(...of)),
    delete: (...of) => guarded(() => store.delete(...of)),
    get: (key) => store.get(key),
    list: (query) => store.list(query),
    watch: (options) => store.watch(options),
    revision: () => store.revision(),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
