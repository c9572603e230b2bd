import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { countsOf, type Counts, NOTHING } from "./counts.ts";

/** How one test file ended. */
export interface FileResult {
  readonly path: string;
  readonly counts: Counts;
  readonly ok: boolean;
  readonly seconds: number;
  /** What its tests reported and printed. */
  readonly output: string;
}

export interface RunOptions {
  /** After so long the file has failed, and everything it started is ended. */
  readonly limitSeconds: number;
  /** Options for Node, such as --test-name-pattern. */
  readonly nodeOptions: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * Runs one test file in a process group of its own. What is left of the group at the end is ended too, so that no test
 * leaves an Envoy behind, not even one that was stopped. (The runner of `node --test` waits forever for a file whose
 * tests have ended and whose sockets have not.)
 */
export async function runFile(path: string, { limitSeconds, nodeOptions, signal }: RunOptions): Promise<FileResult> {
  const started = performance.now();
  await using folder = await temporaryFolder();
  const tally = join(folder.path, "tally.tap");
  const reporters = ["spec", "stdout", "tap", tally].map((value, index) =>
    index % 2 === 0 ? `--test-reporter=${value}` : `--test-reporter-destination=${value}`,
  );
  const args = [...reporters, ...nodeOptions, path];
  const child = spawn(process.execPath, args, { detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const exit = once(child, "exit") as Promise<[number | null]>;
  const outputs = Promise.all([text(child.stdout), text(child.stderr)]);
  const end = await Promise.race([exit.then(() => "ended" as const), stopOf(limitSeconds, signal)]);
  // Whoever still holds the pipes open is in the group; the outputs end with it.
  endGroup(child);
  const [code] = await exit;
  const output = (await outputs).join("");
  const seconds = (performance.now() - started) / 1_000;
  const counts = countsOf(await readFile(tally, "utf8").catch(() => ""));
  if (end !== "ended") return { path, counts: withFailure(counts), ok: false, seconds, output: output + end };
  // A file that fails outside its tests, or dies, counts as a failed test.
  const ok = code === 0 && counts.fail === 0 && counts.cancelled === 0;
  return { path, counts: ok || counts.fail > 0 ? counts : withFailure(counts), ok, seconds, output };
}

/** Resolves when the file has to be stopped, with the reason. */
async function stopOf(limitSeconds: number, signal: AbortSignal): Promise<string> {
  const limit = AbortSignal.timeout(limitSeconds * 1_000);
  const either = AbortSignal.any([limit, signal]);
  if (!either.aborted) await once(either, "abort");
  return limit.aborted
    ? `✖ stopped after ${limitSeconds} s: a test does not end, or something that it started is still open\n`
    : "✖ stopped by a signal\n";
}

function endGroup({ pid }: ChildProcess): void {
  try {
    // A negative id means the whole group.
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // Nobody is left, as it should be.
  }
}

function withFailure(counts: Counts): Counts {
  return { ...NOTHING, ...counts, tests: counts.tests + 1, fail: counts.fail + 1 };
}

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "heddle-test-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}
