import type { EnvoyProcess } from "./drain.ts";

/** A process by its id; signals to one that is gone are lost without a word. */
export function envoyProcess(pid: number): EnvoyProcess {
  return {
    alive: () => send(pid, 0),
    kill: (signal) => void send(pid, signal),
  };
}

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
