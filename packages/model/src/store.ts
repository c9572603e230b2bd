import type { NewResource, Resource, ResourceKey } from "./resource.ts";

/**
 * Where resources live. One contract test (packages/store/src/contract.ts) holds for every implementation.
 * What is stored is JSON: a reader gets what `JSON.parse(JSON.stringify(resource))` would give, and gets it frozen or as
 * a copy of its own. Every method may throw StoreError "unavailable", and "invalid" for arguments that make no sense.
 * A write that ends in "unavailable" is not visible to any reader; only after a crash right then may it turn up.
 * Disposing finishes the writes that were begun, then ends the watches.
 */
export interface Store extends AsyncDisposable {
  /** Stores a resource that does not exist yet. Throws StoreError "already_exists". */
  create(resource: NewResource, options?: WriteOptions): Promise<Resource>;
  /** Replaces a resource. Throws StoreError "not_found", or "conflict" when its version is not `expectedVersion`. */
  update(resource: NewResource, expectedVersion: number, options?: WriteOptions): Promise<Resource>;
  /** Removes a resource and gives back what was removed. Throws StoreError "not_found" or "conflict". */
  delete(key: ResourceKey, expectedVersion?: number): Promise<Resource>;
  get(key: ResourceKey): Promise<Resource | undefined>;
  list(query: ListQuery): Promise<Page>;
  /**
   * Every change after `after`, in order and without gaps, in batches as they were committed. Without `after`: from the
   * moment of this call, even if the first batch is asked for later. Ends when the signal aborts or the store is closed.
   * A reader may be as slow as it likes: nothing is queued for it. Throws StoreError "expired" when `after` is older
   * than what the store remembers, or not a revision of this store: the reader then lists everything again.
   */
  watch(options: { readonly after?: number; readonly signal: AbortSignal }): AsyncIterable<readonly StoreEvent[]>;
  /** The number of the newest committed change. A list read at revision N plus a watch after N misses nothing. */
  revision(): Promise<number>;
}

export interface WriteOptions {
  /**
   * "full" (default): on disk when acknowledged, even after a power cut. "relaxed": soon on disk; for state that heals
   * itself, such as insights, which change with every connection.
   */
  readonly durability?: "full" | "relaxed";
}

export interface ListQuery {
  readonly type: string;
  /** Only this mesh; all meshes when absent. */
  readonly mesh?: string;
  /** Only names that contain this text. */
  readonly nameContains?: string;
  /** Only resources with all of these labels. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Only what the caller wants to see, applied before paging so that `total` stays true. */
  readonly where?: (resource: Resource) => boolean;
  /** At most this many; everything when absent. Ordered by mesh, then name. */
  readonly size?: number;
  /** `next` of the page before; opaque. Names a place in the order, so what comes and goes elsewhere moves no item. */
  readonly offset?: string;
}

export interface Page {
  readonly items: readonly Resource[];
  /** How many match, over all pages. */
  readonly total: number;
  /** The `offset` of the page after this one; absent on the last page. */
  readonly next?: string;
}

/** One change. Revisions grow over all types, and over restarts; `previous` is absent when the put created the resource. */
export type StoreEvent =
  | {
      readonly change: "put";
      readonly revision: number;
      readonly resource: Resource;
      readonly previous?: Resource;
    }
  | { readonly change: "delete"; readonly revision: number; readonly resource: Resource };

/** Why a store refused: the first three are about one resource, "invalid" is a mistake of the caller. */
export type StoreErrorCode = "not_found" | "already_exists" | "conflict" | "expired" | "unavailable" | "invalid";

/** A failure of the store, or a write that lost against another one. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
