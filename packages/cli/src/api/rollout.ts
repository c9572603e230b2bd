import { number, record, records, text, texts } from "../json.ts";
import { pathOf, type Api } from "./api.ts";
import { RefusedError } from "./explain-refusal.ts";

/** A proxy that refuses what it was sent (a NACK); its last good configuration stays in force. */
export interface Rejection {
  readonly mesh: string;
  readonly name: string;
  readonly typeUrl: string;
  /** Envoy resources it refuses. */
  readonly resources: readonly string[];
  /** Envoy's own words. */
  readonly detail: string;
  /** KRIs of the resources whose content was refused. */
  readonly origins: readonly string[];
}

/** A policy that is not in force, and why. */
export interface HeldPolicy {
  readonly type: string;
  readonly mesh: string;
  readonly name: string;
  readonly message: string;
}

/** How far writes have come: proxies that are connected and concerned, and those that acknowledged. */
export interface Rollout {
  readonly affected: number;
  readonly acked: number;
  readonly rejected: readonly Rejection[];
  /** Policies that were taken back because proxies refused them. */
  readonly held?: readonly HeldPolicy[];
  readonly elapsedMillis: number;
  readonly state: "running" | "done" | "timed out";
}

export interface RolloutWish {
  /** Store revisions of the first and the last write. */
  readonly first: number;
  readonly last: number;
  readonly timeoutMillis: number;
}

// The control plane ends the wait itself; this is for one that hangs.
const GRACE_MILLIS = 5_000;

/** Follows writes until every proxy concerned acknowledged or refused them. Undefined: the control plane cannot tell. */
export async function followRollout(
  api: Api,
  { first, last, timeoutMillis }: RolloutWish,
  onProgress: (rollout: Rollout) => void,
): Promise<Rollout | undefined> {
  const lines = api.lines({
    path: pathOf("rollouts", String(last)),
    query: { since: first - 1, timeout: `${Math.ceil(timeoutMillis)}ms` },
    action: "follow the roll-out",
    timeoutMillis: timeoutMillis + GRACE_MILLIS,
  });
  let latest: Rollout | undefined;
  try {
    for await (const line of lines) {
      latest = parseRollout(JSON.parse(line));
      onProgress(latest);
      if (latest.state !== "running") break;
    }
  } catch (error) {
    if (error instanceof RefusedError && error.status === 404) return undefined;
    throw error;
  }
  return latest?.state === "running" ? { ...latest, state: "timed out" } : latest;
}

/** Reads one line of progress. */
export function parseRollout(line: unknown): Rollout {
  const progress = record(line);
  const proxies = record(progress["proxies"]);
  const held = records(progress["held"]).map(parseHeld);
  return {
    affected: number(proxies["affected"]) ?? 0,
    acked: number(proxies["acked"]) ?? 0,
    rejected: records(progress["rejected"]).map(parseRejection),
    ...(held.length === 0 ? {} : { held }),
    elapsedMillis: number(progress["elapsedMillis"]) ?? 0,
    state: progress["timedOut"] === true ? "timed out" : progress["done"] === true ? "done" : "running",
  };
}

function parseHeld(entry: Readonly<Record<string, unknown>>): HeldPolicy {
  const [type = "", mesh = "", name = "", message = ""] = ["type", "mesh", "name", "message"].map((key) =>
    text(entry[key]),
  );
  return { type, mesh, name, message };
}

/** Reads one refusal, of a roll-out or of a DataplaneInsight. */
export function parseRejection(entry: Readonly<Record<string, unknown>>): Rejection {
  return {
    mesh: text(entry["mesh"]) ?? "",
    name: text(entry["name"]) ?? "",
    typeUrl: text(entry["typeUrl"]) ?? "",
    resources: texts(entry["resources"]),
    detail: text(entry["detail"]) ?? "Envoy gives no reason",
    origins: texts(entry["origins"]),
  };
}
