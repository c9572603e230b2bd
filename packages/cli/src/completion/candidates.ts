import type { Argument, Command, Option } from "commander";

/** What may stand where the cursor is. */
export interface Candidate {
  readonly value: string;
  readonly meaning: string;
}

/** The place in a line where the cursor is: what has been typed there, and what is wanted. */
export type Place =
  | { readonly wants: "command" | "flag"; readonly candidates: readonly Candidate[] }
  /** A value, for an argument (by its name) or for a flag (by its long form). */
  | {
      readonly wants: "value";
      readonly of: string;
      readonly choices: readonly Candidate[];
      readonly given: readonly string[];
    };

/** Finds the place for the last of the words in a line that reaches `command`. `given` are the command's arguments so far. */
export function placeOf(command: Command, rest: readonly string[]): Place {
  const current = rest.at(-1) ?? "";
  const before = rest.slice(0, -1);
  const pending = flagBefore(command, before);
  const given = argumentsIn(command, before);
  if (pending !== undefined) return valuePlace(pending.long ?? pending.flags, pending.argChoices, given);
  if (current.startsWith("-")) return { wants: "flag", candidates: flagCandidates(command) };
  const argument = argumentAt(command, given.length);
  const commands = command.commands.length > 0 && given.length === 0 ? commandCandidates(command) : [];
  if (argument === undefined || commands.length > 0) return { wants: "command", candidates: commands };
  return valuePlace(argument.name(), argument.argChoices, given);
}

function valuePlace(of: string, choices: readonly string[] | undefined, given: readonly string[]): Place {
  return { wants: "value", of, choices: (choices ?? []).map((value) => ({ value, meaning: "" })), given };
}

/** The flag that the word at the cursor is the value of. */
function flagBefore(command: Command, before: readonly string[]): Option | undefined {
  const option = findOption(command, before.at(-1) ?? "");
  return option?.required ? option : undefined;
}

/** The words that are neither flags nor values of flags. */
function argumentsIn(command: Command, words: readonly string[]): readonly string[] {
  return words.filter(
    (word, index) => !word.startsWith("-") && findOption(command, words[index - 1] ?? "")?.required !== true,
  );
}

function findOption(command: Command, word: string): Option | undefined {
  return command.options.find((option) => option.long === word || option.short === word);
}

function argumentAt(command: Command, index: number): Argument | undefined {
  const known = command.registeredArguments;
  const last = known.at(-1);
  return known[index] ?? (last?.variadic ? last : undefined);
}

function commandCandidates(command: Command): readonly Candidate[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((child) => ({ value: child.name(), meaning: child.description() }));
}

function flagCandidates(command: Command): readonly Candidate[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map((option) => ({ value: option.long ?? option.short ?? "", meaning: option.description }));
}
