import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ACCESS_LOG_END } from "@heddle/model/access-log-pipe.ts";
import type { LaunchPlan } from "../launch/launch-plan.ts";
import { FILES } from "../launch/work-dir.ts";
import { LINE_FORMATS } from "../log.ts";
import { ENDED } from "./access-log-protocol.ts";
import { HEALTHY_AFTER_SECONDS, RESTART_DELAYS } from "./restart-delay.ts";
import { shellQuote } from "./shell-quote.ts";

/** What stands before Envoy's own command line, and what runs a helper. */
export interface ShellCommands {
  /** Such as ["setpriv", "--pdeathsig", "TERM", "setsid"]. */
  readonly envoyPrefix: readonly string[];
  /** Such as ["setpriv", "--pdeathsig", "TERM"]. */
  readonly watchPrefix: readonly string[];
  /** Such as ["/usr/bin/node", ".../helper.ts"]. */
  readonly helper: readonly string[];
}

const WATCH = fileURLToPath(new URL("./watch-access-logs.sh", import.meta.url));

/** The settings that supervise.sh reads: shell text, every value quoted. */
export function shellSettings(plan: LaunchPlan, commands: ShellCommands): string {
  const { workDir, envoy, logFormat } = plan;
  const start = [...commands.envoyPrefix, envoy.path, ...envoy.arguments].map(shellQuote).join(" ");
  const help = [...commands.helper, join(workDir.path, FILES.plan)].map(shellQuote).join(" ");
  const watch = [...commands.watchPrefix, "/bin/sh", WATCH].map(shellQuote).join(" ");
  return [
    `WORK_DIR=${shellQuote(workDir.path)}`,
    `TEMPORARY=${workDir.temporary ? "yes" : "no"}`,
    `OWN_FILES=${shellQuote(Object.values(FILES).join(" "))}`,
    `LINE=${shellQuote(LINE_FORMATS[logFormat].printf)}`,
    `DELAYS=${shellQuote(RESTART_DELAYS.join(" "))}`,
    `TOKEN_FILE=${shellQuote(plan.tokenFile ?? "")}`,
    `TOKEN_COPY=${shellQuote(join(workDir.path, FILES.token))}`,
    `TOKEN_CHECK=${Math.max(1, Math.round(plan.tokenCheckMs / 1_000))}`,
    `HEALTHY_AFTER=${HEALTHY_AFTER_SECONDS}`,
    `ACCESS_LOG_PIPE=${shellQuote(plan.accessLogPipe ?? "")}`,
    `ACCESS_LOG_END=${shellQuote(ACCESS_LOG_END)}`,
    `ENDED=${ENDED}`,
    `watch_access_logs() { exec ${watch} "$1"; }`,
    `start_envoy() { exec ${start}; }`,
    `helper() { exec ${help} "$@"; }`,
    "",
  ].join("\n");
}
