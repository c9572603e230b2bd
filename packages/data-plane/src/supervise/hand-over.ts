import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isMainThread } from "node:worker_threads";
import { childEnvironment } from "./child-environment.ts";
import type { LaunchPlan } from "../launch/launch-plan.ts";
import { FILES, writePrivate } from "../launch/work-dir.ts";
import { LaunchError } from "../launch-error.ts";
import type { Log } from "../log.ts";
import { shellSettings } from "./shell-settings.ts";
import { superviseInNode } from "./supervise-in-node.ts";

const SHELL = "/bin/sh";
const SCRIPT = fileURLToPath(new URL("./supervise.sh", import.meta.url));
const HELPER = fileURLToPath(new URL("./helper.ts", import.meta.url));

/**
 * Starts Envoy and stays with it to the end. Where it can, this process turns into the shell that watches Envoy, and
 * never returns: a resident Node costs 50 MB beside Envoy's 66, the shell 1.6. Otherwise gives the exit code.
 */
export async function handOver(
  plan: LaunchPlan,
  supervisor: "auto" | "shell" | "node",
  log: Log,
  signal: AbortSignal,
): Promise<number> {
  const deathSignal = dieWithParent();
  const ownSession = onPath("setsid");
  const obstacle = supervisor === "node" ? "asked for" : shellObstacle(ownSession);
  if (obstacle === undefined && ownSession !== undefined) return becomeShell(plan, deathSignal, ownSession);
  if (supervisor === "shell") {
    throw new LaunchError("options", `Cannot hand over to a shell: ${obstacle}`, {
      next: ["Leave HEDDLE_DATAPLANE_SUPERVISOR away"],
    });
  }
  if (supervisor === "auto") log("info", `Watching Envoy from Node, which takes 50 MB more: ${obstacle}`);
  return superviseInNode(plan, deathSignal, log, signal);
}

/** Why no shell can take over; undefined: one can. */
function shellObstacle(setsid: string | undefined): string | undefined {
  if (typeof process.execve !== "function" || !isMainThread) return "this Node cannot become another program";
  if (!existsSync(SHELL)) return `there is no ${SHELL}`;
  if (setsid === undefined) return "there is no setsid";
  return undefined;
}

async function becomeShell(plan: LaunchPlan, deathSignal: readonly string[], ownSession: string): Promise<never> {
  const settings = shellSettings(plan, {
    envoyPrefix: [...deathSignal, ownSession],
    watchPrefix: deathSignal,
    helper: [process.execPath, HELPER],
  });
  const path = await writePrivate(plan.workDir, FILES.shell, settings);
  makeStreamsBlocking();
  // A signal in the few milliseconds until the shell has set its traps ends it without a trace of a drain: there is no
  // Envoy yet either. Only the work directory stays behind then.
  process.execve?.(SHELL, ["sh", SCRIPT, path], childEnvironment(process.env));
  throw new Error(`Cannot become "${SHELL}": the system returned from execve`);
}

/**
 * Node puts pipes into non-blocking mode, and that belongs to the pipe, not to the process: Envoy, which knows nothing
 * of it, would lose log lines whenever a slow reader lets the pipe fill up.
 */
function makeStreamsBlocking(): void {
  for (const stream of [process.stdout, process.stderr]) {
    const handle = (stream as { readonly _handle?: { readonly setBlocking?: (blocking: boolean) => void } })._handle;
    handle?.setBlocking?.(true);
  }
}

/**
 * What to put before Envoy so that it does not outlive a supervisor that was killed. Only util-linux's setpriv can do
 * it; without it, such an Envoy stays until somebody ends it.
 */
function dieWithParent(): readonly string[] {
  const setpriv = onPath("setpriv");
  const words = ["--pdeathsig", "TERM"];
  if (setpriv === undefined) return [];
  return spawnSync(setpriv, [...words, "true"], { stdio: "ignore", timeout: 2_000 }).status === 0
    ? [setpriv, ...words]
    : [];
}

/** The full path of a program: some shells would take a built-in of the same name that can do less. */
function onPath(program: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder.startsWith("/"));
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
