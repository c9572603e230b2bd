import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";
import { Worker } from "node:worker_threads";
import { StoreError } from "@heddle/model/store.ts";
import type { Commit, DurableLog } from "../cached/durable-log.ts";
import type { Batch } from "../cached/history.ts";
import { unavailable } from "./failure.ts";
import { batchFromRows } from "./rows.ts";
import type { Answers, Reply, Request, WorkerSettings } from "./worker-protocol.ts";

interface Pending {
  readonly resolve: (answer: Answers[keyof Answers]) => void;
  readonly reject: (error: StoreError) => void;
}

/** The durable log as the main thread sees it: requests to the thread that owns the file. */
export class WorkerLog implements DurableLog {
  readonly #file: string;
  readonly #worker: Worker;
  readonly #pending: Pending[] = [];
  #ended: StoreError | undefined;

  constructor(settings: WorkerSettings) {
    this.#file = settings.file;
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), {
      workerData: settings,
      name: "store",
      execArgv: [],
      env: compileCache(),
    });
    this.#worker.on("message", (reply: Reply) => this.#settle(reply));
    this.#worker.on("error", (error) => this.#end(error));
    this.#worker.on("exit", () => this.#end(new Error("the thread of the store has ended")));
  }

  /** Opens the file; "load" comes next. */
  open(): Promise<Answers["open"]> {
    return this.#ask({ do: "open" });
  }

  /** Anything but what a log does for every store: about the keys that the content is sealed with. */
  ask<R extends Exclude<Request, { do: "open" | "commit" | "read" | "close" }>>(request: R): Promise<Answers[R["do"]]> {
    return this.#ask(request);
  }

  commit(batch: Commit): Promise<void> {
    return this.#ask({ do: "commit", batch });
  }

  async read(after: number): Promise<Batch | undefined> {
    const rows = await this.#ask({ do: "read", after });
    try {
      return rows === undefined ? undefined : batchFromRows(rows);
    } catch (error) {
      throw unavailable("read", this.#file, error);
    }
  }

  async close(): Promise<void> {
    if (this.#ended !== undefined) return; // the system has taken back file and lock with the thread
    try {
      await this.#ask({ do: "close" });
    } finally {
      await this.#worker.terminate();
    }
  }

  #ask<R extends Request>(request: R): Promise<Answers[R["do"]]> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      // The thread answers in order, so the oldest question is the one an answer belongs to.
      this.#pending.push({ resolve: (answer) => resolve(answer as Answers[R["do"]]), reject });
      // The process stays for an answer, and does not stay for a store that nobody closed.
      this.#worker.ref();
      this.#worker.postMessage(request);
    });
  }

  #settle(reply: Reply): void {
    const pending = this.#pending.shift();
    if (this.#pending.length === 0) this.#worker.unref();
    if (reply.ok) pending?.resolve(reply.answer);
    else pending?.reject(new StoreError("unavailable", reply.message, { cause: new Error(reply.cause) }));
  }

  /** Without its thread the store can only be read: whether the last batch was kept is known after the next start. */
  #end(error: unknown): void {
    this.#ended ??= unavailable("write to", this.#file, error);
    for (const pending of this.#pending.splice(0)) pending.reject(this.#ended);
  }
}

/** Compiled sources are shared with the main thread when it caches them: 17 MB less than compiling them once more. */
function compileCache(): NodeJS.ProcessEnv {
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) };
}
