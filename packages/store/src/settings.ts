/** Settings of every store, all with defaults. */
export interface StoreSettings {
  /** About how many changes a reader may lag behind, or miss between two watches, before it gets "expired". */
  readonly keepChanges?: number | undefined;
  /** The clock of creation and modification times. */
  readonly now?: (() => Date) | undefined;
}

/** The default of `keepChanges`. */
export const KEEP_CHANGES = 10_000;
