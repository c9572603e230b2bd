import { constants, openSync } from "node:fs";
import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { ACCESS_LOG_END } from "@heddle/model/access-log-pipe.ts";
import type { Log } from "../log.ts";
import { type AgentCall, agentCall } from "../opa/agent-call.ts";
import { readAccessLogLine } from "./access-log-line.ts";
import { LogTarget, type TargetLimits } from "./log-target.ts";

/** How lines get from the pipe to those who take them. */
export interface SendOptions {
  /** A line that was taken out of the pipe already. */
  readonly first?: string | undefined;
  /** Ends when there was no line for so long, in milliseconds. Absent: only at the end. */
  readonly idleMillis?: number | undefined;
  readonly limits?: TargetLimits;
  /** Whoever answers when Envoy calls for an agent by the same pipe; nothing is idle while it is busy. */
  readonly agent?: { readonly call: (call: AgentCall) => void; readonly isBusy: () => boolean } | undefined;
}

const LIMITS: TargetLimits = { waiting: 1_048_576, firstPause: 100, longestPause: 5_000 };
/** How long those who take lines may need for the last ones. */
const LAST_MILLIS = 2_000;

/**
 * Sends on what Envoy writes into a pipe, each line to the address that it names: {"address": ..., "message": ...}, the
 * form of Kuma. Reads always, so that Envoy never waits; what cannot be sent is kept up to a bound and then dropped.
 * Gives "end" after the line that says so or when nobody can write any more, "idle" when there was nothing for a while.
 */
export async function sendAccessLogs(pipe: string, log: Log, options: SendOptions = {}): Promise<"end" | "idle"> {
  const { first, idleMillis, limits = LIMITS, agent } = options;
  const targets = new Map<string, LogTarget>();
  const target = (address: string): LogTarget => {
    const known = targets.get(address) ?? new LogTarget(address, limits, log);
    targets.set(address, known);
    return known;
  };
  // With both ends in the own hand the pipe does not end with one Envoy, before there is another.
  const flags = (idleMillis === undefined ? constants.O_RDWR : constants.O_RDONLY) | constants.O_NONBLOCK;
  const input = new Socket({ fd: openSync(pipe, flags), readable: true, writable: false });
  const reason = await readLines(input, { first, idleMillis, isBusy: agent?.isBusy }, (line) => {
    const call = agentCall(line);
    const found = call === undefined ? readAccessLogLine(line) : undefined;
    if (call !== undefined) agent?.call(call);
    else if (found === undefined) log("warning", "Dropped a line of access logs that names nobody to send it to");
    else target(found.address).send(found.message);
  });
  const finished = Promise.all([...targets.values()].map((each) => each.finish()));
  const late = new AbortController();
  await Promise.race([finished, sleep(LAST_MILLIS, undefined, { signal: late.signal }).catch(() => undefined)]);
  late.abort();
  for (const each of targets.values()) each.stop();
  return reason;
}

interface IsBusy {
  readonly isBusy?: (() => boolean) | undefined;
}

async function readLines(
  input: Socket,
  { first, idleMillis, isBusy = () => false }: Pick<SendOptions, "first" | "idleMillis"> & IsBusy,
  take: (line: string) => void,
): Promise<"end" | "idle"> {
  const { promise, resolve } = Promise.withResolvers<"end" | "idle">();
  const onIdle = (): void => (isBusy() ? void timer?.refresh() : resolve("idle"));
  const timer = idleMillis === undefined ? undefined : setTimeout(onIdle, idleMillis);
  const onLine = (line: string): void => {
    timer?.refresh();
    if (line === ACCESS_LOG_END) resolve("end");
    else if (line !== "") take(line);
  };
  if (first !== undefined) onLine(first);
  let rest = "";
  // Not node:readline, for which a line also ends at U+2028, and that may stand in a header.
  input.setEncoding("utf8").on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(onLine);
  });
  input.once("error", () => resolve("end")).once("close", () => resolve("end"));
  const reason = await promise;
  clearTimeout(timer);
  input.destroy();
  return reason;
}
