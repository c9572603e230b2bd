import { mkdir, open, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { CliError } from "../cli-error.ts";

/** A command that holds it longer has died: it does one exchange with an issuer. */
const STALE_MILLIS = 60_000;
const PAUSE_MILLIS = 50;

/**
 * Does work that no other heddle does at the same time with this file. Refresh tokens can be used once: two commands that
 * use the same one look like a theft, and the issuer ends the login.
 */
export async function lockProfiles<T>(path: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const lock = `${path}.lock`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  while (!(await take(lock))) {
    // Files have no event for this that works on every file system.
    await pause(PAUSE_MILLIS, undefined, { signal });
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function take(lock: string): Promise<boolean> {
  try {
    await (await open(lock, "wx", 0o600)).close();
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST")
      throw new CliError(`Cannot write "${lock}": ${(cause as Error).message}`, {
        next: ["Name another file with --config-file"],
        cause,
      });
    const held = await stat(lock).catch(() => undefined);
    if (held !== undefined && Date.now() - held.mtimeMs > STALE_MILLIS) await rm(lock, { force: true });
    return false;
  }
}
