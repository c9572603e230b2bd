import { Option } from "commander";

/** A setting of a control plane or a proxy, as a flag sees it. */
export interface SettingFlag {
  readonly name: string;
  readonly flag?: string | undefined;
  readonly short?: string | undefined;
  /** "<url>"; undefined for a switch. */
  readonly takes?: string | undefined;
  readonly repeatable?: boolean;
  readonly description: string;
  readonly defaultText?: string | undefined;
  /** Variables that set it, the one that wins first. */
  readonly env: readonly string[];
}

/** What a command line gave, by the setting's name. */
export type GivenFlags = Readonly<Record<string, string | boolean | readonly string[]>>;

/** The part of a command that this needs, with or without the types of its flags. */
interface TakesFlags {
  addOption(option: Option): unknown;
  opts(): object;
}

/**
 * Adds a flag for each setting that has one. No default goes to the parser: the table has them, and environment and
 * file come between. Gives a reader of the flags that were given.
 */
export function addSettings(command: unknown, settings: readonly SettingFlag[]): () => GivenFlags {
  // The typed command and commander's own differ only in what they say about flags at compile time.
  const target = command as TakesFlags;
  const added = settings.flatMap((setting) => {
    if (setting.flag === undefined) return [];
    const option = optionFor(setting);
    target.addOption(option);
    return [[setting.name, option.attributeName()] as const];
  });
  return () => {
    const given = target.opts() as Record<string, string | boolean | readonly string[] | undefined>;
    return Object.fromEntries(
      added.flatMap(([name, attribute]) => (given[attribute] === undefined ? [] : [[name, given[attribute]]])),
    );
  };
}

function optionFor({ flag, short, takes, repeatable, description, defaultText, env }: SettingFlag): Option {
  const words = [short, flag].filter((word) => word !== undefined).join(", ");
  const facts = [defaultText === undefined ? "" : `default: ${defaultText}`, env[0] ?? ""].filter(
    (fact) => fact !== "",
  );
  const text = facts.length === 0 ? description : `${description} (${facts.join("; ")})`;
  const option = new Option(takes === undefined ? words : `${words} ${takes}`, text);
  return repeatable
    ? option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value])
    : option;
}
