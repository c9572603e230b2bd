import type { Command as TypedCommand } from "@commander-js/extra-typings";
import type { Cli } from "./cli.ts";

/** Commander's command, with the types of flags and arguments following from their declarations. */
export type CliCommand = TypedCommand;

/**
 * A command's own file: it declares arguments, flags and examples, and does the work. It is loaded after commander has
 * made the defaults of `--no-...` flags, so those need their default (true) written out.
 */
export interface CommandModule {
  readonly define: (command: CliCommand, cli: Cli) => void | Promise<void>;
}

/** A command before its file is loaded: enough for the help of its parent. */
export interface Leaf {
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
  /** Runs when no other command of the group has the word that was typed. */
  readonly isDefault?: boolean;
  readonly hidden?: boolean;
  /** Calls no REST API, so the flags that say which one are left out. */
  readonly local?: boolean;
}

/** A word that other commands stand behind. */
export interface Group {
  readonly summary: string;
  readonly examples: readonly Example[];
  readonly commands: Readonly<Record<string, Leaf | Group>>;
}

/** A line to type, and what it does. */
export type Example = readonly [line: string, effect: string];

/** Adds the examples to a command's help. */
export function addExamples(
  command: { addHelpText(position: "after", text: string): unknown },
  examples: readonly Example[],
): void {
  command.addHelpText("after", `\n${examplesText(examples)}`);
}

function examplesText(examples: readonly Example[]): string {
  return ["Examples:", ...examples.flatMap(([line, effect]) => [`  # ${effect}`, `  ${line}`])].join("\n");
}
