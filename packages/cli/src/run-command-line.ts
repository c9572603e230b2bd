import { CommanderError, type Command } from "commander";
import { AlreadyReported, Interrupted, UsageError } from "./cli-error.ts";
import type { Cli } from "./cli.ts";
import { COLOR_MODES, type ColorMode } from "./output/paint.ts";
import { buildProgram } from "./program.ts";
import { renderError } from "./render-error.ts";
import { terminalOver } from "./terminal.ts";
import { clientVersion } from "./client-version.ts";

const FAILED = 1;
const WRONG_USAGE = 2;
const STOPPED = 130;

/** Runs one command line over the process's own streams and leaves its outcome as the exit code. */
export async function runCommandLine(words: readonly string[]): Promise<void> {
  leaveQuietlyOnBrokenPipe();
  const terminal = terminalOver(process, colorMode(words), process.env);
  const cli: Cli = { terminal, env: process.env, stdin: process.stdin, signal: stopSignal(), now: () => new Date() };
  const program = buildProgram(cli, clientVersion());
  try {
    await program.parseAsync(withHelpFlag(words), { from: "user" });
  } catch (error) {
    process.exitCode = report(error, program, cli, words);
  }
}

function report(error: unknown, program: Command, cli: Cli, words: readonly string[]): number {
  const { note, paintNote } = cli.terminal;
  if (error instanceof AlreadyReported) return FAILED;
  if (error instanceof CommanderError) return reportUsage(error, program, cli, words);
  if (cli.signal.aborted && !(error instanceof Interrupted)) {
    note(renderError(new Interrupted("Stopped"), paintNote));
    return STOPPED;
  }
  note(renderError(error, paintNote, isDebug(words)));
  if (error instanceof UsageError) return WRONG_USAGE;
  return error instanceof Interrupted ? STOPPED : FAILED;
}

function reportUsage(error: CommanderError, program: Command, cli: Cli, words: readonly string[]): number {
  if (error.exitCode === 0) return 0;
  // A word that needs another one: its help is on standard error already.
  if (error.code === "commander.help") return WRONG_USAGE;
  const [sentence = "", ...hints] = error.message.replace(/^error: /, "").split("\n");
  const suggestions = hints.map((hint) => hint.replace(/^\(|\)$/g, ""));
  const help = `All there is: ${[...commandWords(program, words), "--help"].join(" ")}`;
  cli.terminal.note(renderError(new UsageError(sentence, { next: [...suggestions, help] }), cli.terminal.paintNote));
  return WRONG_USAGE;
}

/** The words of the line that name a command: what its help is asked with. */
function commandWords(program: Command, words: readonly string[]): readonly string[] {
  const path = ["heddle"];
  let command: Command | undefined = program;
  for (const word of words) {
    command = command.commands.find((child) => child.name() === word);
    if (command === undefined) return path;
    path.push(word);
  }
  return path;
}

/** `heddle help get` and `heddle get --help` are the same. */
function withHelpFlag(words: readonly string[]): readonly string[] {
  if (words.length === 0) return ["--help"];
  return words[0] === "help" ? [...words.slice(1), "--help"] : words;
}

function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(STOPPED);
      controller.abort();
    });
  }
  return controller.signal;
}

// `heddle get ... | head` closes the pipe early, which is no failure.
function leaveQuietlyOnBrokenPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(0);
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

function isDebug(words: readonly string[]): boolean {
  return (
    words.includes("--log-level=debug") ||
    words.some((word, index) => word === "debug" && words[index - 1] === "--log-level")
  );
}
