import type { Cli } from "../../../cli.ts";
import { addExamples, type CliCommand } from "../../../command-tree.ts";
import { globalOptions } from "../../../global-options.ts";
import { named } from "../../../profiles/choose-profile.ts";
import { defaultProfileFile, readProfiles, writeProfiles } from "../../../profiles/profile-file.ts";

/** `heddle config control-planes switch`: makes another profile the current one. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command.requiredOption("--name <name>", "the one to use from now on").action(async ({ name }) => {
    const path = globalOptions(typed).configFile ?? defaultProfileFile(cli.env);
    const { profiles } = await readProfiles(path);
    const { address } = named(profiles, name);
    await writeProfiles(path, { profiles, current: name });
    cli.terminal.print(`Using control plane "${name}" at ${address}`);
  });
  addExamples(typed, [["heddle config control-planes switch --name prod", "use another control plane from now on"]]);
}
