import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { attemptBootstrap } from "../control-plane/exchange.ts";
import { currentToken, type LaunchPlan, writePlan } from "../launch/launch-plan.ts";
import { renewToken } from "../launch/token-files.ts";
import { FILES, writePrivate } from "../launch/work-dir.ts";
import type { Log } from "../log.ts";
import type { EnvoyProcess } from "./drain.ts";
import { explainExit } from "./explain-exit.ts";

/** How Envoy ended. */
export interface Ending {
  /** As a shell gives it: above 128 it is a signal's number plus 128. */
  readonly status: number;
  readonly livedSeconds: number;
}

/** Within this time Envoy's end is a matter of how it started. */
const STARTUP_SECONDS = 5;
/** A restart is to be over in two seconds, so a control plane that is away must not hold it up. */
const REFRESH_TIMEOUT_MS = 800;

/**
 * Says why Envoy ended, and gets it a fresh bootstrap. Without the control plane the file of the last start serves: the
 * proxy comes back with what it had. With it the exchange is made anew, since the control plane may have another
 * certificate or address by now, or the token may have been renewed: an Envoy that starts with the old ones runs, never
 * crashes again, and never gets its configuration.
 */
export async function prepareRestart(plan: LaunchPlan, ending: Ending, log: Log): Promise<LaunchPlan> {
  log("warning", `Envoy ended: ${explainExit(ending.status)}`);
  if (ending.status === 1 && ending.livedSeconds < STARTUP_SECONDS) await explainStart(plan, log);
  return refreshBootstrap(plan, log);
}

/**
 * The same for an Envoy that was started again already, with the last bootstrap, because there was no time to lose. If
 * the control plane has a newer one, this Envoy would never get its configuration: it is ended, and the next one has it.
 */
export async function recheckRestart(
  plan: LaunchPlan,
  ending: Ending,
  running: EnvoyProcess,
  log: Log,
): Promise<LaunchPlan> {
  log("warning", `Envoy ended: ${explainExit(ending.status)}`);
  const current = await refreshBootstrap(plan, log);
  if (current !== plan) running.kill("SIGKILL");
  return current;
}

async function refreshBootstrap(plan: LaunchPlan, log: Log): Promise<LaunchPlan> {
  if (plan.tokenFile !== undefined) await renewToken(plan.workDir, plan.tokenFile);
  const token = await currentToken(plan);
  const request = token === undefined ? plan.request : { ...plan.request, dataplaneToken: token };
  const attempt = await attemptBootstrap(plan.controlPlane, request, { timeoutMs: REFRESH_TIMEOUT_MS });
  if (!attempt.ok) {
    log("warning", `Starting with the last bootstrap. ${attempt.error.message}`);
    return plan;
  }
  const path = join(plan.workDir.path, FILES.bootstrap);
  if (attempt.bootstrap === (await readFile(path, "utf8").catch(() => ""))) return plan;
  try {
    const refreshed = await takeOver(plan, attempt.bootstrap);
    log("info", "The control plane gave a new bootstrap");
    return refreshed;
  } catch (error) {
    log("warning", `Starting with the last bootstrap. ${(error as Error).message}`);
    return plan;
  }
}

async function takeOver(plan: LaunchPlan, bootstrap: string): Promise<LaunchPlan> {
  // Loaded on demand: the common restart needs no YAML, and should be quick.
  const { readBootstrap } = await import("../envoy/read-bootstrap.ts");
  const refreshed = { ...plan, admin: readBootstrap(bootstrap).admin };
  await writePrivate(plan.workDir, FILES.bootstrap, bootstrap);
  await writePlan(refreshed);
  return refreshed;
}

/** The two reasons why Envoy refuses to start: somebody has its port, or it does not like its configuration. */
async function explainStart(plan: LaunchPlan, log: Log): Promise<void> {
  const path = join(plan.workDir.path, FILES.bootstrap);
  const { readBootstrap } = await import("../envoy/read-bootstrap.ts");
  const { checkPorts } = await import("../launch/check-ports.ts");
  try {
    await checkPorts(readBootstrap(await readFile(path, "utf8")).listens);
  } catch (error) {
    return log("error", (error as Error).message);
  }
  const words = await validate(plan.envoy.path, path);
  if (words !== undefined) log("error", `Envoy refuses its bootstrap: ${words}`);
}

async function validate(envoy: string, path: string): Promise<string | undefined> {
  const words = ["--mode", "validate", "--config-path", path, "--log-level", "error", "--log-format", "%v"];
  return promisify(execFile)(envoy, words, { timeout: 10_000 }).then(
    () => undefined,
    (error: { readonly stderr?: string }) => error.stderr?.trim().slice(0, 2_000),
  );
}
