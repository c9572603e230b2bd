import type { Cli } from "../../../cli.ts";
import { addExamples, type CliCommand } from "../../../command-tree.ts";
import { globalOptions } from "../../../global-options.ts";
import { formatData } from "../../../output/data.ts";
import { table } from "../../../output/table.ts";
import type { Profiles } from "../../../profiles/profile.ts";
import { defaultProfileFile, readProfiles } from "../../../profiles/profile-file.ts";

/** `heddle config control-planes list`: the profiles, the current one marked. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command
    .addOption(
      command
        .createOption("-o, --output <format>", "how to show it")
        .choices(["table", "yaml", "json", "name"] as const)
        .default("table" as const),
    )
    .action(async ({ output }) => {
      const profiles = await readProfiles(globalOptions(typed).configFile ?? defaultProfileFile(cli.env));
      const { print, note } = cli.terminal;
      if (output === "json" || output === "yaml") return print(await formatData(listData(profiles), output));
      if (output === "name") return print(profiles.profiles.map(({ name }) => name).join("\n"));
      if (profiles.profiles.length === 0)
        return note("There are no control planes; add one: heddle config control-planes add");
      print(render(profiles));
    });
  addExamples(typed, [
    ["heddle config control-planes list", "the control planes that are known; * marks the one in use"],
  ]);
}

/** A line for each profile. */
export function render({ profiles, current }: Profiles): string {
  return table(profiles, [
    { title: "ACTIVE", value: ({ name }) => (name === current ? "*" : " ") },
    { title: "NAME", value: ({ name }) => name },
    { title: "ADDRESS", value: ({ address }) => address },
    { title: "LOGIN", value: loginOf },
  ]);
}

function loginOf({ token, clientCertFile }: Profiles["profiles"][number]): string {
  if (token !== undefined) return "token";
  return clientCertFile === undefined ? "none" : "client certificate";
}

// No token and no header: what is printed ends up in logs.
function listData({ profiles, current }: Profiles): unknown {
  return profiles.map((profile) => ({
    name: profile.name,
    address: profile.address,
    active: profile.name === current,
    login: loginOf(profile),
  }));
}
