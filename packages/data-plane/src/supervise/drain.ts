import { setTimeout as sleep } from "node:timers/promises";
import { type Activity, readActivity } from "../envoy/activity.ts";
import { type AdminClient, adminClient } from "../envoy/admin-client.ts";
import type { LaunchPlan } from "../launch/launch-plan.ts";
import type { Log } from "../log.ts";
import { announceLeaving } from "./announce-leaving.ts";

const POLL_MS = 200;
/** Envoy needs some milliseconds to end; after this long it is made to. */
const QUIT_MS = 5_000;
/** An Envoy that has only just started opens its admin interface first, and ports for requests after that. */
const STARTUP_MS = 3_000;
/** How long nothing may be under way before idle connections of informed peers are closed. */
const QUIET_MS = 1_000;

/** The process to end. */
export interface EnvoyProcess {
  readonly alive: () => boolean;
  readonly kill: (signal: "SIGTERM" | "SIGKILL") => void;
}

/**
 * Ends Envoy without failing a request: nobody is to send new ones, those under way may finish, then it quits. True
 * when it went that way; false when Envoy was gone, did not answer, or its time was over with requests left.
 */
export async function drain(plan: LaunchPlan, envoy: EnvoyProcess, log: Log): Promise<boolean> {
  const deadline = performance.now() + plan.drainTimeMs;
  const admin = adminClient(plan.admin);
  log(
    "info",
    `Leaving: running requests have ${plan.drainTimeMs / 1_000} s to end; the same signal again ends at once`,
  );
  const announcement = await announceLeaving(plan);
  if (!announcement.known) log("info", `The control plane could not take this proxy out first: ${announcement.reason}`);
  const clean = await letFinish({ admin, envoy, deadline, log }, announcement.known).catch((cause: Error) => {
    if (envoy.alive()) log("warning", `Envoy's admin interface does not answer: ${cause.message}`);
    return false;
  });
  await quit(admin, envoy);
  if (clean) log("info", "Left: nothing was cut off");
  return clean;
}

interface Leaving {
  readonly admin: AdminClient;
  readonly envoy: EnvoyProcess;
  /** In `performance.now()`. */
  readonly deadline: number;
  readonly log: Log;
}

async function letFinish({ admin, envoy, deadline, log }: Leaving, peersKnow: boolean): Promise<boolean> {
  await awaitAdmin(admin, envoy);
  // Whoever checks Envoy's health takes it out; and from now on every answer closes its connection.
  await admin.post("/healthcheck/fail");
  // Still accepting, for peers that have not heard; skip_exit, because plain `graceful` quits when its time is over.
  await admin.post("/drain_listeners?graceful&skip_exit");
  let quietSince = performance.now();
  for (;;) {
    const activity = await readActivity(admin);
    const now = performance.now();
    if (activity.requests > 0 || activity.streams > 0) quietSince = now;
    if (isFinished(activity, peersKnow, now - quietSince)) return true;
    if (now >= deadline) return outOfTime(activity, log);
    if (!envoy.alive()) return false;
    await sleep(Math.min(POLL_MS, Math.max(1, deadline - now)));
  }
}

/**
 * Idle connections of peers that know are closed without harm. A peer that does not know may be about to use one, so
 * there only an end of all connections, or of the time, counts.
 */
export function isFinished(activity: Activity, peersKnow: boolean, quietMs: number): boolean {
  if (activity.requests > 0 || activity.streams > 0) return false;
  return activity.connections === 0 || (peersKnow && quietMs >= QUIET_MS);
}

function outOfTime({ requests, streams }: Activity, log: Log): boolean {
  if (requests === 0 && streams === 0) return true;
  log(
    "warning",
    `Time is over: cutting off ${requests} requests and ${streams} other connections (--drain-time allows more)`,
  );
  return false;
}

async function quit(admin: AdminClient, envoy: EnvoyProcess): Promise<void> {
  const asked = await admin.post("/quitquitquit").then(
    () => true,
    () => false,
  );
  if (asked && (await hasEnded(envoy, QUIT_MS))) return;
  envoy.kill("SIGTERM");
  if (await hasEnded(envoy, QUIT_MS)) return;
  envoy.kill("SIGKILL");
}

/** Returns when the admin interface answers, or it is plain that it will not: what comes next fails then. */
async function awaitAdmin(admin: AdminClient, envoy: EnvoyProcess): Promise<void> {
  const deadline = performance.now() + STARTUP_MS;
  const answers = (): Promise<boolean> =>
    admin.get("/ready").then(
      () => true,
      () => false,
    );
  while (envoy.alive() && performance.now() < deadline && !(await answers())) await sleep(50);
}

async function hasEnded(envoy: EnvoyProcess, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (envoy.alive()) {
    if (performance.now() >= deadline) return false;
    await sleep(20);
  }
  return true;
}
