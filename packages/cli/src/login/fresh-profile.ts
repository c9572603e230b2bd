import type { Cli } from "../cli.ts";
import { lockProfiles } from "../profiles/lock-profiles.ts";
import { type Profile, withChanged } from "../profiles/profile.ts";
import { readProfiles, writeProfiles } from "../profiles/profile-file.ts";

/** A token that ends within this time is replaced: the command may take a while. */
const DUE_MILLIS = 60_000;

/** The profile with a token that is good for now: a login that is due is refreshed, and written down. Throws CliError. */
export async function freshProfile(profile: Profile, path: string, cli: Cli): Promise<Profile> {
  if (!isDue(profile, cli.now())) return profile;
  return await lockProfiles(path, cli.signal, async () => {
    const profiles = await readProfiles(path);
    // Another command may have done it meanwhile.
    const latest = profiles.profiles.find(({ name }) => name === profile.name) ?? profile;
    if (latest.login === undefined || !isDue(latest, cli.now())) return latest;
    const { refresh } = await import("./log-in.ts");
    const next = { ...latest, ...(await refresh(latest.login, cli)) };
    await writeProfiles(path, withChanged(profiles, next));
    return next;
  });
}

function isDue({ login }: Profile, now: Date): boolean {
  return login !== undefined && Date.parse(login.expiresAt) - now.getTime() < DUE_MILLIS;
}
