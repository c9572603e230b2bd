import type { Commit } from "../cached/durable-log.ts";
import type { ChangeRow, ResourceRow } from "./rows.ts";

/** What the thread is started with. */
export interface WorkerSettings {
  readonly file: string;
  readonly keepChanges: number;
}

/** What the main thread asks of the thread that owns the file. Answered in order, one at a time. */
export type Request =
  | { readonly do: "open" }
  | { readonly do: "commit"; readonly batch: Commit }
  | { readonly do: "read"; readonly after: number }
  | { readonly do: "close" };

/** What each request is answered with when it went well. */
export interface Answers {
  readonly open: { readonly resources: readonly ResourceRow[]; readonly revision: number };
  readonly commit: undefined;
  readonly read: readonly ChangeRow[] | undefined;
  readonly close: undefined;
}

/** One answer; a failure travels as the text of a StoreError "unavailable" and of its cause. */
export type Reply =
  | { readonly ok: true; readonly answer: Answers[keyof Answers] }
  | { readonly ok: false; readonly message: string; readonly cause: string };
