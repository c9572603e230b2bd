import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { identifyProcess, isAlive, processIdOf } from "./process-identity.mjs";

/**
 * Runs the work while no other process of this machine holds the lock. A holder that died is noticed and replaced.
 * @param {string} folder where the lock file stands
 * @param {() => Promise<void>} work
 * @param {{ readonly onWait: (pid: number) => void, readonly signal: AbortSignal }} options `onWait` hears once of the
 *   process that is being waited for; the signal ends the waiting
 */
export async function withLock(folder, work, { onWait, signal }) {
  const lock = join(folder, "setup.lock");
  const mine = identifyProcess(process.pid) ?? String(process.pid);
  for (let attempt = 0; !take(lock, mine); attempt += 1) {
    const holder = read(lock);
    if (holder !== undefined && !isAlive(holder)) removeStale(lock, holder);
    if (holder === undefined || !isAlive(holder)) continue;
    if (attempt === 0) onWait(processIdOf(holder));
    await sleep(200, undefined, { signal });
  }
  try {
    await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

/**
 * A link appears with its content or not at all, so nobody ever reads half a lock.
 * @param {string} lock
 * @param {string} mine
 */
function take(lock, mine) {
  const draft = `${lock}.${process.pid}`;
  writeFileSync(draft, mine);
  try {
    linkSync(draft, lock);
    return true;
  } catch (error) {
    if (isCode(error, "EEXIST")) return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Two waiting processes may find the same dead holder: what was moved away is put back unless it is that holder's.
 * @param {string} lock
 * @param {string} stale the content that was found to be a dead process
 */
function removeStale(lock, stale) {
  const aside = `${lock}.stale.${process.pid}`;
  try {
    renameSync(lock, aside);
    if (read(aside) !== stale) linkSync(aside, lock);
  } catch (error) {
    if (!isCode(error, "ENOENT") && !isCode(error, "EEXIST")) throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

/**
 * @param {string} file
 * @returns {string | undefined} undefined: it has gone
 */
function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (isCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/**
 * @param {unknown} error
 * @param {string} code
 */
function isCode(error, code) {
  return error instanceof Error && "code" in error && error.code === code;
}
