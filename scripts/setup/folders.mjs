import { chmodSync, existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { TOOLS } from "./places.mjs";

const PREFIX = "unfinished-";

/**
 * A new folder beside the finished ones, so that moving it into place is one rename.
 * @param {string} name
 */
export function temporaryFolder(name) {
  const folder = mkdtempSync(join(TOOLS, `${PREFIX}${name}-`));
  // Temporary folders are private to their owner; this one will hold programs that others may start.
  chmodSync(folder, 0o755);
  return folder;
}

/**
 * Puts a finished folder in place of an old one; nobody ever sees half a folder.
 * @param {string} finished
 * @param {string} place
 */
export function swapFolder(finished, place) {
  const old = join(temporaryFolder("old"), "folder");
  if (existsSync(place)) renameSync(place, old);
  renameSync(finished, place);
  rmSync(join(old, ".."), { recursive: true });
}

/** Removes what an interrupted set-up left. Only the holder of the lock may call it. */
export function removeUnfinished() {
  for (const name of readdirSync(TOOLS)) {
    if (name.startsWith(PREFIX)) rmSync(join(TOOLS, name), { recursive: true });
  }
}
