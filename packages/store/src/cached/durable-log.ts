import type { Batch } from "./history.ts";

/** Where a store keeps what it committed: the port between the cache in memory and a file. */
export interface DurableLog {
  /** Keeps a batch whole. Rejects with StoreError "unavailable", and then no part of the batch is kept. */
  commit(batch: Commit): Promise<void>;
  /** The first batch after a revision that memory has forgotten; undefined when the log does not go back that far. */
  read(after: number): Promise<Batch | undefined>;
  close(): Promise<void>;
}

/** "full": survives a power cut once `commit` resolves. "relaxed": survives the end of this process. */
export interface Commit {
  readonly durability: "full" | "relaxed";
  readonly records: readonly LogRecord[];
}

/** One change as plain data that can be sent to another thread; `json` holds labels, spec and status of a put. */
export interface LogRecord {
  readonly change: "put" | "delete";
  readonly revision: number;
  readonly type: string;
  readonly mesh: string;
  readonly name: string;
  readonly creationTime: string;
  readonly modificationTime: string;
  readonly json: string;
}

/** A log that keeps nothing: memory is all there is. */
export const noLog: DurableLog = {
  commit: () => Promise.resolve(),
  read: () => Promise.resolve(undefined),
  close: () => Promise.resolve(),
};
