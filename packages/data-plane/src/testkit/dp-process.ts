import { type ChildProcess, spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import type { Flags } from "../options/resolve-options.ts";
import { envoyProcess } from "../supervise/envoy-process.ts";

const MAIN = fileURLToPath(new URL("./dp-main.ts", import.meta.url));

/** A launcher that runs as a process of its own, in its own process group, as a terminal would start it. */
export interface DpProcess extends AsyncDisposable {
  readonly pid: number;
  /** All lines on standard error so far. */
  readonly lines: () => readonly string[];
  readonly output: () => string;
  /** Waits for a line, at most `withinMs`. */
  readonly line: (pattern: RegExp, withinMs?: number) => Promise<string>;
  /** Sends a signal to the launcher alone. */
  readonly signal: (name: NodeJS.Signals) => void;
  /** Sends a signal to the whole foreground group, as Ctrl-C does. */
  readonly ctrlC: () => void;
  /** Settles with the exit code. */
  readonly exit: Promise<number>;
  /** The Envoy that runs under it now. */
  readonly envoyPid: (withinMs?: number) => Promise<number>;
}

/** Starts `heddle dp run` with these flags. */
export function startDp(flags: Flags, env: NodeJS.ProcessEnv = {}): DpProcess {
  const child = spawn(process.execPath, [MAIN, JSON.stringify(flags)], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    env: { ...process.env, ...env },
  });
  const pid = child.pid ?? 0;
  const output = collect(child.stdout);
  const errors = collect(child.stderr);
  const lines = (): readonly string[] =>
    errors()
      .split("\n")
      .filter((line) => line !== "");
  const exit = exitCode(child);
  return {
    pid,
    lines,
    output,
    exit,
    line: (pattern, withinMs) =>
      until(`a line ${pattern}`, () => lines().find((line) => pattern.test(line)), lines, withinMs),
    signal: (name) => void process.kill(pid, name),
    ctrlC: () => void process.kill(-pid, "SIGINT"),
    envoyPid: (withinMs) => until("an Envoy", () => envoyUnder(pid), lines, withinMs),
    [Symbol.asyncDispose]: () => end(child, pid, exit),
  };
}

/** The Envoy among the children of a process. */
async function envoyUnder(parent: number): Promise<number | undefined> {
  for (const entry of await readdir("/proc")) {
    const stat = /^\d+$/.test(entry) ? await readFile(`/proc/${entry}/stat`, "utf8").catch(() => "") : "";
    const [, name, ppid] = /\((.+)\) [RSD] (\d+)/.exec(stat) ?? [];
    if (name?.startsWith("envoy") && Number(ppid) === parent) return Number(entry);
  }
  return undefined;
}

async function until<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  lines: () => readonly string[],
  withinMs = 15_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(20);
  }
  throw new Error(`${what} did not come within ${withinMs} ms:\n${lines().join("\n")}`);
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  let text = "";
  stream?.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
  return () => text;
}

function exitCode(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => child.once("exit", (code, signal) => resolve(code ?? (signal === null ? -1 : -2))));
}

async function end(child: ChildProcess, pid: number, exit: Promise<number>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const envoy = await envoyUnder(pid);
  child.kill("SIGKILL");
  if (envoy !== undefined) envoyProcess(envoy).kill("SIGKILL");
  await exit;
}
