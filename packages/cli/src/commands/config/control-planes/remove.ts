import type { Cli } from "../../../cli.ts";
import { addExamples, type CliCommand } from "../../../command-tree.ts";
import { globalOptions } from "../../../global-options.ts";
import { DEFAULT_ADDRESS, named } from "../../../profiles/choose-profile.ts";
import { withoutProfile } from "../../../profiles/profile.ts";
import { defaultProfileFile, readProfiles, writeProfiles } from "../../../profiles/profile-file.ts";

/** `heddle config control-planes remove`: forgets a profile; the control plane itself is left alone. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command.requiredOption("--name <name>", "the one to forget").action(async ({ name }) => {
    const path = globalOptions(typed).configFile ?? defaultProfileFile(cli.env);
    const before = await readProfiles(path);
    named(before.profiles, name);
    const after = withoutProfile(before, name);
    await writeProfiles(path, after);
    cli.terminal.print(`Removed control plane "${name}" from ${path}`);
    if (after.current === undefined)
      cli.terminal.note(`None is chosen now: ${DEFAULT_ADDRESS} is used until you switch to one`);
  });
  addExamples(typed, [["heddle config control-planes remove --name staging", "forget a control plane"]]);
}
