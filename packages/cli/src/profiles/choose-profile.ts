import { CliError, UsageError } from "../cli-error.ts";
import type { Profile, Profiles } from "./profile.ts";

export const DEFAULT_ADDRESS = "http://localhost:5681";

/** What the command line and the environment say about the control plane to use. */
export interface Wish {
  /** The name of a profile, or an address. */
  readonly controlPlane?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}

/** The control plane to talk to: the flag, else HEDDLE_ADDRESS, else the file's current one, else the one on this machine. */
export function chooseProfile({ profiles, current }: Profiles, { controlPlane, env }: Wish): Profile {
  const token = env["HEDDLE_TOKEN"];
  const withToken = (profile: Profile): Profile => {
    const { login: _login, ...rest } = profile;
    return token ? { ...rest, token } : profile;
  };
  if (controlPlane?.includes("://")) return withToken(bare(controlPlane));
  if (controlPlane !== undefined) return withToken(named(profiles, controlPlane));
  const address = env["HEDDLE_ADDRESS"];
  if (address) return withToken(bare(address));
  if (current !== undefined) return withToken(named(profiles, current));
  return withToken(bare(DEFAULT_ADDRESS));
}

/** The profile of a name; the error lists the names there are. */
export function named(profiles: readonly Profile[], wanted: string): Profile {
  const found = profiles.find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  const names = profiles.map(({ name }) => name);
  throw new CliError(`Cannot use control plane "${wanted}": no profile has this name`, {
    details: names.length === 0 ? [] : [`known: ${names.join(", ")}`],
    next: [`heddle config control-planes add --name ${wanted} --address http://HOST:5681`],
  });
}

/** Checks an address and gives it back without a slash at its end. */
export function parseAddress(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
    throw new UsageError(`Cannot use address "${address}": it must be an http or https URL such as ${DEFAULT_ADDRESS}`);
  }
  return address.replace(/\/+$/, "");
}

function bare(address: string): Profile {
  return { name: "", address: parseAddress(address) };
}
