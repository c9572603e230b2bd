import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { CliError } from "../cli-error.ts";
import { formatProfiles, NO_PROFILES, parseProfiles, type Profiles } from "./profile.ts";

/** Where profiles are kept unless --config-file says otherwise. */
export function defaultProfileFile(env: NodeJS.ProcessEnv): string {
  return join(env["HOME"] || homedir(), ".heddle", "config");
}

/** The profiles of a file; a file that is not there holds none. */
export async function readProfiles(path: string): Promise<Profiles> {
  let content: string;
  try {
    content = await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return NO_PROFILES;
    throw unreadable(path, (cause as Error).message, cause);
  }
  const { parse } = await import("yaml");
  try {
    return parseProfiles(parse(content));
  } catch (cause) {
    throw unreadable(path, "it is not YAML", cause);
  }
}

/** Writes the profiles so that a crash leaves the old file or the new one; readable by its owner alone: it holds tokens. */
export async function writeProfiles(path: string, profiles: Profiles): Promise<void> {
  const { stringify } = await import("yaml");
  const next = `${path}.${randomUUID()}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(next, stringify(formatProfiles(profiles)), { mode: 0o600, flag: "wx" });
    await rename(next, path);
  } catch (cause) {
    throw new CliError(`Cannot write the configuration "${path}": ${(cause as Error).message}`, {
      next: ["Name another file with --config-file"],
      cause,
    });
  }
}

function unreadable(path: string, state: string, cause: unknown): CliError {
  return new CliError(`Cannot read the configuration "${path}": ${state}`, {
    next: ["Correct the file, name another one with --config-file, or leave it out with --no-config"],
    cause,
  });
}
