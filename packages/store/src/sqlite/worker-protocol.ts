import type { Commit } from "../cached/durable-log.ts";
import type { ChangeRow, ResourceRow } from "./rows.ts";

/** What the thread is started with. */
export interface WorkerSettings {
  readonly file: string;
  readonly keepChanges: number;
}

/** A row of `data_keys`: a key that content is sealed with, encrypted by the key that `key_id` names. */
export interface DataKeyRow {
  readonly id: number;
  readonly key_id: string;
  readonly wrapped: string;
}

/** A data key that can be used. */
export interface DataKey {
  readonly id: number;
  readonly key: Uint8Array;
}

/** What becomes of the data keys: one that comes, and others that another key encrypts from now on. */
export interface KeyChange {
  readonly add?: (DataKey & DataKeyRow) | undefined;
  readonly rewrapped: readonly DataKeyRow[];
}

/** How far a rotation came. */
export interface RotationStep {
  readonly visited: number;
  readonly isDone: boolean;
}

/**
 * What the main thread asks of the thread that owns the file: "open" and "load" first. Answered in order, one at a time.
 */
export type Request =
  | { readonly do: "open" }
  | { readonly do: "load"; readonly keys: readonly DataKey[]; readonly change: KeyChange }
  | { readonly do: "commit"; readonly batch: Commit }
  | { readonly do: "read"; readonly after: number }
  | { readonly do: "start rotation"; readonly change: KeyChange }
  | { readonly do: "continue rotation" }
  | { readonly do: "remove leftovers" }
  | { readonly do: "close" };

/** What each request is answered with when it went well. */
export interface Answers {
  readonly open: readonly DataKeyRow[];
  readonly load: { readonly resources: readonly ResourceRow[]; readonly revision: number };
  readonly commit: undefined;
  readonly read: readonly ChangeRow[] | undefined;
  /** The number of rows. */
  readonly "start rotation": number;
  readonly "continue rotation": RotationStep;
  /** False while another program reads the file. */
  readonly "remove leftovers": boolean;
  readonly close: undefined;
}

/** One answer; a failure travels as the text of a StoreError "unavailable" and of its cause. */
export type Reply =
  | { readonly ok: true; readonly answer: Answers[keyof Answers] }
  | { readonly ok: false; readonly message: string; readonly cause: string };
