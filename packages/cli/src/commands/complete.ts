import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { addExamples, type CliCommand } from "../command-tree.ts";
import { placeOf, type Candidate, type Place } from "../completion/candidates.ts";
import { FILE_VALUES, liveValues } from "../completion/live-values.ts";
import { openApi } from "../api/api.ts";
import { profileOf } from "../connect.ts";
import { defaultCommand, loadCommand } from "../program.ts";
import { defaultProfileFile, readProfiles } from "../profiles/profile-file.ts";

// Somebody waits for TAB: rather no names than late ones.
const LIVE_MILLIS = 500;

/** `heddle complete -- WORDS`: what the completion scripts ask. The last word is the one at the cursor. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command.argument("[words...]", "the line after heddle, up to the cursor").action(async (words) => {
    const program = typed.parent as Command | null;
    if (program === null) return;
    const { reached, rest } = await descend(program, words, cli);
    const place = placeOf(reached, rest);
    const current = rest.at(-1) ?? "";
    if (place.wants === "value" && FILE_VALUES.has(place.of)) return cli.terminal.print(":files");
    const candidates = await candidatesAt(place, reached, rest, cli);
    const fitting = candidates.filter(({ value }) => value !== "" && value.startsWith(current));
    cli.terminal.print(fitting.map(({ value, meaning }) => `${value}\t${meaning}`).join("\n"));
  });
  addExamples(typed, [["heddle complete -- get mesh", "what may follow `heddle get mesh` at TAB"]]);
}

/** Follows the words that name commands, and loads the file of the one that they reach. */
async function descend(
  program: Command,
  words: readonly string[],
  cli: Cli,
): Promise<{ reached: Command; rest: readonly string[] }> {
  let reached = program;
  let rest = words;
  for (;;) {
    if (rest.length < 2) return { reached, rest };
    const named: Command | undefined = reached.commands.find((each) => each.name() === rest[0]);
    const child = named ?? defaultCommand(reached);
    if (child === undefined) return { reached, rest };
    await loadCommand(child, cli);
    reached = child;
    if (named !== undefined) rest = rest.slice(1);
  }
}

async function candidatesAt(
  place: Place,
  reached: Command,
  rest: readonly string[],
  cli: Cli,
): Promise<readonly Candidate[]> {
  if (place.wants !== "value") return place.candidates;
  if (place.choices.length > 0) return place.choices;
  try {
    const profile = await profileOf({}, cli);
    const api = openApi(profile, { timeoutMillis: LIVE_MILLIS, signal: cli.signal });
    const mesh = rest[rest.findIndex((word) => word === "-m" || word === "--mesh") + 1];
    const isMeshGiven = rest.includes("-m") || rest.includes("--mesh");
    const profiles = await readProfiles(defaultProfileFile(cli.env));
    return await liveValues(place.of, {
      api,
      profiles,
      command: reached.name(),
      mesh: isMeshGiven ? (mesh ?? "default") : "default",
      given: place.given,
    });
  } catch {
    // A message in the middle of a line that is being typed would only be in the way.
    return [];
  }
}
