import { stringify } from "yaml";
import type { Cli } from "../../cli.ts";
import { addExamples, type CliCommand } from "../../command-tree.ts";
import { globalOptions } from "../../global-options.ts";
import { formatProfiles, type Profiles } from "../../profiles/profile.ts";
import { defaultProfileFile, readProfiles } from "../../profiles/profile-file.ts";

/** `heddle config view`: the configuration file, its tokens hidden. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command.action(async () => {
    const path = globalOptions(typed).configFile ?? defaultProfileFile(cli.env);
    const profiles = await readProfiles(path);
    if (profiles.profiles.length === 0)
      return cli.terminal.note(`There are no control planes in ${path}; add one: heddle config control-planes add`);
    cli.terminal.print(render(profiles));
  });
  addExamples(typed, [["heddle config view", "what the configuration file says, tokens hidden"]]);
}

/** The file's content with every token and header value hidden. */
export function render({ profiles, current }: Profiles): string {
  const hidden = profiles.map((profile) => ({
    ...profile,
    ...(profile.token === undefined ? {} : { token: "***" }),
    ...(profile.login?.refreshToken === undefined ? {} : { login: { ...profile.login, refreshToken: "***" } }),
    ...(profile.headers === undefined
      ? {}
      : { headers: Object.fromEntries(Object.keys(profile.headers).map((key) => [key, "***"])) }),
  }));
  return stringify(formatProfiles({ profiles: hidden, current })).trimEnd();
}
