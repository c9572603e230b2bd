import { spawn } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { log } from "./log.mjs";
import { ROOT, TOOLS } from "./places.mjs";
import { identifyProcess, isAlive, processIdOf } from "./process-identity.mjs";

const RUNNING = "running-";

/**
 * How a program ended. `output` is what it wrote to both streams.
 * @typedef {{ readonly ok: boolean, readonly output: string }} Outcome
 */

/**
 * Runs a program to its end, its output kept for explanations and in the log file.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ readonly signal: AbortSignal, readonly env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<Outcome>}
 */
export function runCommand(program, args, { signal, env = process.env }) {
  if (signal.aborted) return Promise.resolve({ ok: false, output: "stopped" });
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
    const record = recordRunning(child.pid);
    const kill = () => {
      child.kill("SIGTERM");
      // npm goes on for a long time after a polite word; what it leaves half done is repaired anyway.
      setTimeout(() => child.kill("SIGKILL"), 2_000).unref();
    };
    signal.addEventListener("abort", kill, { once: true });
    let output = "";
    const keep = (/** @type {Buffer} */ chunk) => (output += chunk.toString());
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const end = (/** @type {boolean} */ ok) => {
      signal.removeEventListener("abort", kill);
      if (record !== undefined) rmSync(record, { force: true });
      log(`$ ${program} ${args.join(" ")}\n${output}`);
      resolve({ ok, output });
    };
    child.on("error", (error) => {
      output += error.message;
      // A program that could not be started at all never closes.
      if (child.pid === undefined) end(false);
    });
    child.on("close", (code) => end(code === 0));
  });
}

/**
 * Remembers a process in a file, for the set-up that would have to end it.
 * @param {number | undefined} pid
 */
function recordRunning(pid) {
  const identity = pid === undefined ? undefined : identifyProcess(pid);
  if (identity === undefined) return undefined;
  const file = join(TOOLS, `${RUNNING}${pid}`);
  writeFileSync(file, identity);
  return file;
}

/**
 * Ends what a set-up that was killed outright left running: its npm would write into the folders that this one fills.
 * Only the holder of the lock may call it.
 */
export function endLeftRunning() {
  for (const name of readdirSync(TOOLS).filter((entry) => entry.startsWith(RUNNING))) {
    const file = join(TOOLS, name);
    const identity = readFileSync(file, "utf8");
    if (isAlive(identity)) process.kill(processIdOf(identity), "SIGKILL");
    rmSync(file);
  }
}
