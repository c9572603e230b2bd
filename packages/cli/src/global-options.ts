import type { Command } from "commander";
import { parseDuration } from "@heddle/model/duration.ts";
import { UsageError } from "./cli-error.ts";
import { COLOR_MODES } from "./output/paint.ts";

export const LOG_LEVELS = ["off", "info", "debug"] as const;

/** The flags of every command that talks to a control plane; they may stand before the command's name too. */
export interface GlobalOptions {
  readonly configFile?: string;
  /** --no-config sets it to false. */
  readonly config?: boolean;
  readonly context?: string;
  readonly controlPlane?: string;
  readonly apiTimeout?: string;
  readonly logLevel?: (typeof LOG_LEVELS)[number];
}

/** Adds the flags to a command, under a heading of their own in its help, or left out of it. */
export function addGlobalOptions(command: Command, hidden = false): void {
  const add = (flags: string, description: string, choices: readonly string[] = []): void =>
    addOption(command, { flags, description, choices, hidden });
  add("--control-plane <name|url>", "control plane to use: a profile's name or an address (also HEDDLE_ADDRESS)");
  add("--context <name>", "the same, under kumactl's name");
  add("--config-file <file>", "profiles and tokens (~/.heddle/config)");
  add("--no-config", "use no configuration file");
  add("--api-timeout <duration>", "longest wait for an answer (1m)");
  add("--log-level <level>", "what is told of the calls made, on standard error (off)", LOG_LEVELS);
  addColorOption(command, hidden);
}

/** Adds the one flag that every command has. */
export function addColorOption(command: Command, hidden = false): void {
  addOption(command, {
    flags: "--color <when>",
    description: "colours in the output (auto)",
    choices: COLOR_MODES,
    hidden,
  });
}

interface OptionFacts {
  readonly flags: string;
  readonly description: string;
  readonly choices: readonly string[];
  readonly hidden: boolean;
}

function addOption(command: Command, { flags, description, choices, hidden }: OptionFacts): void {
  const option = command.createOption(flags, description).helpGroup("Global options:").hideHelp(hidden);
  command.addOption(choices.length === 0 ? option : option.choices(choices));
}

/** The flags as given to the command, else as given before its name. */
export function globalOptions(command: {
  opts(): object;
  readonly parent: { opts(): object; readonly parent: unknown } | null;
}): GlobalOptions {
  const levels: object[] = [];
  for (let each: typeof command.parent = command; each !== null; each = each.parent as typeof command.parent)
    levels.unshift(each.opts());
  // Commander gives --no-config the default true; only false says something.
  return Object.assign({}, ...levels.map(withoutDefaults)) as GlobalOptions;
}

/** Reads a duration flag in milliseconds. */
export function durationFlag(flag: string, raw: string): number {
  const parsed = parseDuration(raw, flag);
  if (parsed.ok) return parsed.value;
  throw new UsageError(`Cannot read ${flag} "${raw}": it must be a duration such as 30s or 5m`);
}

function withoutDefaults(options: object): object {
  return Object.fromEntries(
    Object.entries(options).filter(([key, value]) => value !== undefined && !(key === "config" && value === true)),
  );
}
