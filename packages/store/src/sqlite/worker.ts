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
    const { message } = unavailable(verbOf(request.do), file, error);
    return { ok: false, message, cause: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

function answer(request: Request): Answers[keyof Answers] {
  if (request.do === "open") {
    log = new SqliteLog(file, keepChanges);
    return log.sealed.wrappedKeys();
  }
  if (log === undefined) throw new Error("it is not open");
  switch (request.do) {
    case "load":
      return log.load(request.keys, request.change);
    case "commit":
      return log.commit(request.batch) as undefined;
    case "read":
      return log.read(request.after);
    case "start rotation":
      return log.sealed.startRotation(request.change);
    case "continue rotation":
      return log.sealed.continueRotation();
    case "remove leftovers":
      return log.sealed.removeLeftovers();
    case "close":
      return log.close() as undefined;
  }
}

/** As in "Cannot write to store". */
function verbOf(asked: Request["do"]): string {
  if (asked === "commit") return "write to";
  if (asked === "start rotation" || asked === "continue rotation") return "encrypt";
  return asked === "load" ? "open" : asked === "remove leftovers" ? "tidy up" : asked;
}
