import { Command } from "commander";
import type { Cli } from "./cli.ts";
import { addExamples, type CliCommand, type Group, type Leaf } from "./command-tree.ts";
import { COMMANDS } from "./commands/index.ts";
import { addColorOption, addGlobalOptions } from "./global-options.ts";

const CLOSING = `
Commands that talk to a control plane also take --control-plane, --config-file, --api-timeout and --log-level, before or
after their name; see heddle get --help.

Exit codes: 0 done; 1 the thing failed, or a proxy refused it; 2 the command was written wrongly; 130 stopped by Ctrl-C.
`;

/** The whole command line. Files of commands are loaded as the line that is parsed reaches them. */
export function buildProgram(cli: Cli, version: string): Command {
  const program = new Command("heddle");
  // Heddle shows one error form and picks exit codes itself: parsing ends in a CommanderError.
  program.exitOverride().configureOutput({
    writeOut: (text) => cli.terminal.print(text.trimEnd()),
    writeErr: (text) => cli.terminal.note(text.trimEnd()),
    outputError: () => {},
    getOutHasColors: () => true,
  });
  program.configureHelp({ styleTitle: (title) => cli.terminal.paint("bold", title), showGlobalOptions: false });
  // Flags belong to the word they follow; so a command may have one that is named like a global one.
  program.enablePositionalOptions().version(version, "-V, --version", "print the version of this command");
  program.description(COMMANDS.summary);
  addGlobalOptions(program, true);
  fillGroup(program, COMMANDS, cli);
  program.addHelpText("after", CLOSING);
  return program;
}

const leaves = new WeakMap<Command, Leaf>();
const defaults = new WeakMap<Command, Command>();

/** The command of a group that runs when a word names no other. */
export function defaultCommand(group: Command): Command | undefined {
  return defaults.get(group);
}

function fillGroup(command: Command, group: Group, cli: Cli): void {
  command.helpCommand(false).helpOption("-h, --help", "show this");
  for (const [name, node] of Object.entries(group.commands)) {
    const isLeaf = "load" in node;
    const child = command.command(name, {
      hidden: isLeaf && node.hidden === true,
      isDefault: isLeaf && node.isDefault === true,
    });
    child.description(node.summary);
    if (isLeaf && node.isDefault === true) defaults.set(command, child);
    if (isLeaf) leaves.set(child, node);
    else fillGroup(child, node, cli);
  }
  addExamples(command, group.examples);
  command.hook("preSubcommand", (_, child) => loadCommand(child, cli));
}

/** Loads the file of a command, when it has one that is not loaded yet. */
export async function loadCommand(command: Command, cli: Cli): Promise<void> {
  const leaf = leaves.get(command);
  if (leaf === undefined) return;
  leaves.delete(command);
  command.helpOption("-h, --help", "show this");
  const module = await leaf.load();
  // The types of flags and arguments exist at compile time alone; the objects are commander's own.
  await module.define(command as unknown as CliCommand, cli);
  if (leaf.local === true) addColorOption(command);
  else addGlobalOptions(command);
}
