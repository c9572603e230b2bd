import { CliError } from "../../cli-error.ts";
import type { Cli } from "../../cli.ts";
import { addExamples, type CliCommand } from "../../command-tree.ts";
import { profileOf } from "../../connect.ts";
import { globalOptions } from "../../global-options.ts";
import { lockProfiles } from "../../profiles/lock-profiles.ts";
import { withChanged } from "../../profiles/profile.ts";
import { defaultProfileFile, readProfiles, writeProfiles } from "../../profiles/profile-file.ts";

/** `heddle auth logout`: forgets the tokens of a login here, and at the issuer. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command.action(async () => {
    const options = globalOptions(typed);
    const path = options.configFile ?? defaultProfileFile(cli.env);
    const { name } = await profileOf(options, cli);
    await lockProfiles(path, cli.signal, async () => {
      const before = await readProfiles(path);
      const profile = before.profiles.find((each) => each.name === name);
      if (profile?.login === undefined) return cli.terminal.note("Nobody is logged in here");
      const { login, token: _token, ...rest } = profile;
      await writeProfiles(path, withChanged(before, rest));
      const { revoke } = await import("../../login/log-in.ts");
      const told = await revoke(login, cli).catch((cause: unknown) => {
        if (!(cause instanceof CliError)) throw cause;
        cli.terminal.note(`Could not tell the issuer: ${cause.message}`);
        return false;
      });
      cli.terminal.print(
        `Logged out of ${profile.address}${told ? "" : `; the last token goes on until ${login.expiresAt}`}`,
      );
    });
  });
  addExamples(typed, [["heddle auth logout", "forget the tokens of the control plane in use"]]);
}
