import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { ACCESS_LOG_END } from "@heddle/model/access-log-pipe.ts";
import { childEnvironment } from "./child-environment.ts";
import type { LaunchPlan } from "../launch/launch-plan.ts";
import { renewToken } from "../launch/token-files.ts";
import { removeWorkDir } from "../launch/work-dir.ts";
import type { Log } from "../log.ts";
import { agentHost } from "../opa/agent-host.ts";
import { drain } from "./drain.ts";
import { envoyProcess } from "./envoy-process.ts";
import { prepareRestart } from "./prepare-restart.ts";
import { reportStart } from "./report-start.ts";
import { HEALTHY_AFTER_SECONDS, restartDelay } from "./restart-delay.ts";
import { sendAccessLogs } from "./send-access-logs.ts";
import { listenForStop, type StopRequests } from "./stop-requests.ts";

/**
 * The same as supervise.sh, where there is no shell to hand over to: this process stays, and costs some 50 MB. It asks
 * for a newer bootstrap before each restart, which costs it no start of a helper and hence next to no time. Gives
 * the exit code: 0 after a clean drain, otherwise Envoy's own, or 128 + the number of the second signal.
 */
export async function superviseInNode(
  plan: LaunchPlan,
  envoyPrefix: readonly string[],
  log: Log,
  signal: AbortSignal,
): Promise<number> {
  using stop = listenForStop(signal);
  const { workDir, tokenFile, tokenCheckMs } = plan;
  const watch = setInterval(() => tokenFile !== undefined && void renewToken(workDir, tokenFile), tokenCheckMs);
  const agent = agentHost(log);
  const accessLogs = plan.accessLogPipe === undefined ? undefined : sendAccessLogs(plan.accessLogPipe, log, { agent });
  try {
    return await keepRunning(plan, envoyPrefix, log, stop);
  } finally {
    clearInterval(watch);
    if (plan.accessLogPipe !== undefined) await appendFile(plan.accessLogPipe, `${ACCESS_LOG_END}\n`);
    await accessLogs;
    agent.close();
    await removeWorkDir(plan.workDir);
  }
}

async function keepRunning(
  plan: LaunchPlan,
  envoyPrefix: readonly string[],
  log: Log,
  stop: StopRequests,
): Promise<number> {
  let current = plan;
  let failures = 0;
  while (!stop.requested()) {
    const startedAt = performance.now();
    const status = await runOnce(current, envoyPrefix, log, stop);
    if (stop.requested() || status === 0) return status;
    const livedSeconds = Math.floor((performance.now() - startedAt) / 1_000);
    if (livedSeconds >= HEALTHY_AFTER_SECONDS) failures = 0;
    const delay = restartDelay(failures);
    failures += 1;
    log("warning", `Envoy ended with status ${status} after ${livedSeconds} s; starting it again in ${delay} s`);
    await Promise.race([sleep(delay * 1_000, undefined, { ref: true }), stop.first]);
    if (!stop.requested()) current = await prepareRestart(current, { status, livedSeconds }, log);
  }
  return 0;
}

/** One Envoy from start to end; drained when a stop is asked for. Gives the status of its end. */
async function runOnce(
  plan: LaunchPlan,
  envoyPrefix: readonly string[],
  log: Log,
  stop: StopRequests,
): Promise<number> {
  const [command = "", ...words] = [...envoyPrefix, plan.envoy.path, ...plan.envoy.arguments];
  // A session of its own: Ctrl-C in the terminal must reach this process alone.
  const child = spawn(command, words, {
    stdio: ["ignore", "inherit", "inherit"],
    detached: true,
    env: { ...childEnvironment(process.env), TZ: "UTC" },
  });
  const leave = killOnExit(child, plan);
  try {
    const ended = statusOf(child);
    const envoy = envoyProcess(child.pid ?? 0);
    void reportStart(plan, envoy.alive, log);
    const early = await Promise.race([ended, stop.first]);
    if (early !== undefined) return early;
    const drained = drain(plan, envoy, log);
    const forced = await Promise.race([drained, stop.second]);
    if (typeof forced === "boolean") return (await ended) || (forced ? 0 : 1);
    log("warning", "Asked to stop again: ending at once");
    envoy.kill("SIGKILL");
    await ended;
    return forced;
  } finally {
    process.off("exit", leave);
  }
}

/** Should this process be made to exit, Envoy and the files go with it. */
function killOnExit(child: ChildProcess, plan: LaunchPlan): () => void {
  const leave = (): void => {
    child.kill("SIGKILL");
    if (plan.workDir.temporary) rmSync(plan.workDir.path, { recursive: true, force: true });
  };
  process.on("exit", leave);
  return leave;
}

/** The status as a shell gives it. */
function statusOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once("error", () => resolve(127));
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
