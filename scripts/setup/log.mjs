import { appendFileSync, writeFileSync } from "node:fs";
import { LOG_FILE } from "./places.mjs";

/** Begins the log file of this set-up. */
export function beginLog() {
  writeFileSync(LOG_FILE, "");
}

/**
 * Adds to the log file what would only be noise on the screen.
 * @param {string} text
 */
export function log(text) {
  try {
    appendFileSync(LOG_FILE, `${text}\n`);
  } catch {
    // A full disk is what is being reported right now; the report itself goes to the screen.
  }
}
