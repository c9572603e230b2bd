import { parentPort, workerData } from "node:worker_threads";
import { unavailable } from "./failure.ts";
import { SqliteLog } from "./sqlite-log.ts";
import type { Answers, Reply, Request, WorkerSettings } from "./worker-protocol.ts";

/**
 * The thread that owns the file. Waiting for the disk happens here, so that the event loop of the control plane never
 * waits for it: a sync takes a millisecond on a good day and a hundred on a bad one.
 */
const { file, keepChanges } = workerData as WorkerSettings;
/** Undefined until "open", which is always the first request, has gone well. */
let log: SqliteLog | undefined;
let quiet: NodeJS.Timeout | undefined;

/** After so long without a request the thread tidies up. */
const QUIET_MILLIS = 100;

parentPort?.on("message", (request: Request) => {
  clearTimeout(quiet);
  parentPort?.postMessage(reply(request));
  if (request.do !== "close") quiet = setTimeout(tidy, QUIET_MILLIS);
});

function tidy(): void {
  try {
    log?.checkpoint();
  } catch {
    // The WAL stays longer, which is no loss; a disk that is in trouble is reported by the next write.
  }
}

function reply(request: Request): Reply {
  try {
    return { ok: true, answer: answer(request) };
  } catch (error) {
    const { message } = unavailable(request.do === "commit" ? "write to" : request.do, file, error);
    return { ok: false, message, cause: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

function answer(request: Request): Answers[keyof Answers] {
  switch (request.do) {
    case "open":
      log = new SqliteLog(file, keepChanges);
      return { resources: log.resources(), revision: log.revision() };
    case "commit":
      return log?.commit(request.batch) as undefined;
    case "read":
      return log?.read(request.after);
    case "close":
      return log?.close() as undefined;
  }
}
