import { enableCompileCache } from "node:module";
import { readFileSync } from "node:fs";
import { readPlan } from "../launch/launch-plan.ts";
import { makeLog } from "../log.ts";
import { ACCESS_LOG_IDLE_MILLIS, ENDED } from "./access-log-protocol.ts";
import { envoyProcess } from "./envoy-process.ts";

/**
 * What the supervising shell leaves to Node, in a process that ends when it is done:
 *   helper.ts PLAN report PID       says when Envoy serves
 *   helper.ts PLAN crashed STATUS LIVED_SECONDS      says why Envoy ended, and refreshes its bootstrap for the next one
 *   helper.ts PLAN restarted PID STATUS LIVED_SECONDS      the same with the next one running, then `report`
 *   helper.ts PLAN access-logs <LINE      sends on this line of access logs and all that follow; see watch-access-logs.sh.
 *                                   A line of Envoy's that calls for the Open Policy Agent starts it in there
 *   helper.ts PLAN drain PID        ends Envoy without failing a request; exit code 0 when nothing was cut off
 */
const [planPath = "", task, ...rest] = process.argv.slice(2);
const [first = 0, second = 0, third = 0] = rest.map(Number);
// Time counts here, with a proxy down: compiled code is kept between runs, and each task loads only what it needs.
enableCompileCache();
// Whoever reads this may be gone, killed perhaps: the task matters more than its words.
process.stderr.on("error", () => undefined);
const plan = await readPlan(planPath);
const log = makeLog(plan.logFormat, (line) => process.stderr.write(`${line}\n`));

switch (task) {
  case "report": {
    const { reportStart } = await import("./report-start.ts");
    await reportStart(plan, envoyProcess(first).alive, log);
    break;
  }
  case "crashed": {
    const { prepareRestart } = await import("./prepare-restart.ts");
    await prepareRestart(plan, { status: first, livedSeconds: second }, log);
    break;
  }
  case "restarted": {
    const { recheckRestart } = await import("./prepare-restart.ts");
    const { reportStart } = await import("./report-start.ts");
    const envoy = envoyProcess(first);
    const current = await recheckRestart(plan, { status: second, livedSeconds: third }, envoy, log);
    await reportStart(current, envoy.alive, log);
    break;
  }
  case "drain": {
    const { drain } = await import("./drain.ts");
    process.exitCode = (await drain(plan, envoyProcess(first), log)) ? 0 : 1;
    break;
  }
  case "access-logs": {
    // Ctrl-C in a terminal reaches this process too, and the last lines are still to come.
    for (const name of ["SIGINT", "SIGHUP"] as const) process.on(name, () => undefined);
    const { sendAccessLogs } = await import("./send-access-logs.ts");
    const line = readFileSync(0, "utf8").replace(/\n$/, "");
    const pipe = plan.accessLogPipe ?? "";
    const { agentHost } = await import("../opa/agent-host.ts");
    const agent = agentHost(log, ACCESS_LOG_IDLE_MILLIS);
    const reason = await sendAccessLogs(pipe, log, { first: line, idleMillis: ACCESS_LOG_IDLE_MILLIS, agent });
    // What still waits for a connection that cannot be made is told of already.
    process.exit(reason === "end" ? ENDED : 0);
  }
  default:
    throw new Error(`Cannot help with "${task ?? ""}": it is none of report, crashed, restarted, drain, access-logs`);
}
