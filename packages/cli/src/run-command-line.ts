import { COLOR_MODES, type ColorMode } from "./output/paint.ts";
import { EXIT, runLine } from "./run-line.ts";
import { terminalOver } from "./terminal.ts";

/** Runs one command line over the process's own streams and leaves its outcome as the exit code. */
export async function runCommandLine(words: readonly string[]): Promise<void> {
  leaveQuietlyOnBrokenPipe();
  const terminal = terminalOver(process, colorMode(words), process.env);
  const cli = { terminal, env: process.env, stdin: process.stdin, signal: stopSignal(), now: () => new Date() };
  const code = await runLine(words, cli);
  if (code !== undefined) process.exitCode = code;
  if (!cli.signal.aborted) return;
  // A process that ends by itself takes its handlers of signals away first: a second Ctrl-C would then kill it. One that
  // exits keeps them to the last instant.
  await Promise.all([process.stdout, process.stderr].map(written));
  process.exit();
}

/** Waits until everything that was written so far has left, or cannot. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => void stream.write("", () => resolve()));
}

/** One press of Ctrl-C in a terminal comes twice under npm: from the terminal, and passed on by npm. No person is as quick. */
const SAME_SIGNAL_MILLIS = 500;

function stopSignal(): AbortSignal {
  const controller = new AbortController();
  let first = Number.POSITIVE_INFINITY;
  // A terminal that is closed says SIGHUP.
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      if (performance.now() - first > SAME_SIGNAL_MILLIS) process.exit(EXIT.stopped);
      if (controller.signal.aborted) return;
      first = performance.now();
      controller.abort();
    });
  }
  return controller.signal;
}

// `heddle get ... | head` closes the pipe early, which is no failure. A terminal that is closed refuses every write:
// what was begun is still brought to its end, by the SIGHUP that comes with it.
function leaveQuietlyOnBrokenPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(EXIT.done);
      if (error.code === "EIO") return;
      throw error;
    });
  }
}

// Looked up before parsing, because errors of parsing have colours too.
function colorMode(words: readonly string[]): ColorMode {
  const index = words.findIndex((word) => word === "--color" || word.startsWith("--color="));
  const value = words[index]?.startsWith("--color=") ? words[index]?.slice("--color=".length) : words[index + 1];
  return (index >= 0 && COLOR_MODES.find((mode) => mode === value)) || "auto";
}
