import { CommanderError, type Command } from "commander";
import { AlreadyReported, Interrupted, UsageError } from "./cli-error.ts";
import { clientVersion } from "./client-version.ts";
import type { Cli } from "./cli.ts";
import { buildProgram } from "./program.ts";
import { renderError } from "./render-error.ts";

/** What a command line comes to; `heddle --help` tells it to users. */
export const EXIT = { done: 0, failed: 1, wrongUsage: 2, stopped: 130 } as const;

/** Runs one command line. Every failure is told on standard error and comes back as an exit code; undefined: all is done. */
export async function runLine(words: readonly string[], cli: Cli): Promise<number | undefined> {
  const program = buildProgram(cli, clientVersion());
  try {
    await program.parseAsync(withHelpFlag(words), { from: "user" });
    return undefined;
  } catch (error) {
    return report(error, program, cli, words);
  }
}

function report(error: unknown, program: Command, cli: Cli, words: readonly string[]): number {
  const { note, paintNote } = cli.terminal;
  if (error instanceof AlreadyReported) return EXIT.failed;
  if (error instanceof CommanderError) return reportUsage(error, program, cli, words);
  if (cli.signal.aborted && !(error instanceof Interrupted)) {
    note(renderError(new Interrupted("Stopped"), paintNote));
    return EXIT.stopped;
  }
  note(renderError(error, paintNote, isDebug(words)));
  if (error instanceof UsageError) return EXIT.wrongUsage;
  return error instanceof Interrupted ? EXIT.stopped : EXIT.failed;
}

function reportUsage(error: CommanderError, program: Command, cli: Cli, words: readonly string[]): number {
  if (error.exitCode === 0) return EXIT.done;
  // A word that needs another one: its help is on standard error already.
  if (error.code === "commander.help") return EXIT.wrongUsage;
  const [sentence = "", ...hints] = error.message.replace(/^error: /, "").split("\n");
  const suggestions = hints.map((hint) => hint.replace(/^\(|\)$/g, ""));
  const help = `All there is: ${[...commandWords(program, words), "--help"].join(" ")}`;
  cli.terminal.note(renderError(new UsageError(sentence, { next: [...suggestions, help] }), cli.terminal.paintNote));
  return EXIT.wrongUsage;
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

function isDebug(words: readonly string[]): boolean {
  return (
    words.includes("--log-level=debug") ||
    words.some((word, index) => word === "debug" && words[index - 1] === "--log-level")
  );
}
