import { openApi, type Api } from "./api/api.ts";
import type { Cli } from "./cli.ts";
import { durationFlag, globalOptions, type GlobalOptions } from "./global-options.ts";
import { chooseProfile } from "./profiles/choose-profile.ts";
import { NO_PROFILES, type Profile } from "./profiles/profile.ts";
import { defaultProfileFile, readProfiles } from "./profiles/profile-file.ts";

const DEFAULT_TIMEOUT = "1m";

/** The API of the control plane that flags, environment and configuration file name. Nothing is sent yet. */
export async function connect(command: Parameters<typeof globalOptions>[0], cli: Cli): Promise<Api> {
  const options = globalOptions(command);
  const profile = await profileOf(options, cli);
  if (profile.login === undefined) return openProfile(profile, options, cli);
  const { freshProfile } = await import("./login/fresh-profile.ts");
  const path = options.configFile ?? defaultProfileFile(cli.env);
  return openProfile(await freshProfile(profile, path, cli), options, cli);
}

/** The API of one profile. */
export function openProfile(profile: Profile, options: GlobalOptions, cli: Cli): Api {
  return openApi(profile, {
    timeoutMillis: durationFlag("--api-timeout", options.apiTimeout ?? DEFAULT_TIMEOUT),
    signal: cli.signal,
    debug: options.logLevel === "debug" ? cli.terminal.note : undefined,
  });
}

/** The profile to use. A missing file is no error: there is a default address. */
export async function profileOf(options: GlobalOptions, cli: Cli): Promise<Profile> {
  const profiles =
    options.config === false ? NO_PROFILES : await readProfiles(options.configFile ?? defaultProfileFile(cli.env));
  return chooseProfile(profiles, { controlPlane: options.controlPlane ?? options.context, env: cli.env });
}
