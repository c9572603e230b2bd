import type { Log } from "../log.ts";
import type { AgentCall } from "./agent-call.ts";
import type { OpaAgent } from "./opa-agent.ts";

/** Has an agent in this process from the first time that Envoy calls for one. */
export interface AgentHost {
  readonly call: (call: AgentCall) => void;
  /** Whether Envoy asked or knocked lately: it does so as long as a policy is there. */
  readonly isBusy: () => boolean;
  readonly close: () => void;
}

/** Waits for Envoy's call. What goes wrong is told once, because Envoy calls every second. */
export function agentHost(log: Log, idleMillis = 60_000): AgentHost {
  let agent: Promise<OpaAgent | undefined> | undefined;
  let running: OpaAgent | undefined;
  return {
    call: ({ socket }) => {
      agent ??= start(socket, log).then((started) => (running = started));
    },
    isBusy: () => running !== undefined && performance.now() - running.lastCall() < idleMillis,
    close: () => running?.close(),
  };
}

async function start(socket: string, log: Log): Promise<OpaAgent | undefined> {
  try {
    const [{ loadOpaLibrary }, { startOpaAgent }] = await Promise.all([
      import("./opa-library.ts"),
      import("./opa-agent.ts"),
    ]);
    const library = await loadOpaLibrary();
    const logDecision = (line: string): void => void process.stderr.write(`${line}\n`);
    const agent = await startOpaAgent(socket, { library, log, logDecision });
    log("info", "The Open Policy Agent decides about requests, as a MeshOPA says");
    return agent;
  } catch (error) {
    log("error", `No request is decided about, though a MeshOPA asks for it: ${(error as Error).message}`);
    return undefined;
  }
}
