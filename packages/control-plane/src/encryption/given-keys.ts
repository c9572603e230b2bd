import { readFile, stat } from "node:fs/promises";
import type { KeySource } from "./key-source.ts";
import { readKeys } from "./key-text.ts";

/** Permissions of a file that let everybody on the machine read it. */
const READABLE_BY_OTHERS = 0o004;

/** Keys in a file of the operator's. Read anew at a rotation. */
export function fileKeys(file: string, warn: (message: string) => void): KeySource {
  let isWarned = false;
  return {
    use: "file",
    place: `file "${file}"`,
    read: async () => {
      try {
        const { mode } = await stat(file);
        // Keys are read more than once, also at a start.
        if ((mode & READABLE_BY_OTHERS) !== 0 && !isWarned)
          warn(`everybody on this machine may read the encryption key in "${file}"; change that: chmod 600 ${file}`);
        isWarned = true;
        return readKeys(await readFile(file, "utf8"), `file "${file}"`);
      } catch (cause) {
        if (!(cause instanceof Error && "code" in cause)) throw cause;
        const next = "put the key there, or correct --encryption-key-file / HEDDLE_ENCRYPTION_KEY_FILE";
        throw new Error(`Cannot read the encryption key of "${file}": ${cause.message}; ${next}`, { cause });
      }
    },
  };
}

/** Keys in the configuration itself: from the environment, which is read only once. */
export function textKeys(text: string): KeySource {
  const place = "HEDDLE_ENCRYPTION_KEY";
  return { use: "environment", place, read: async () => readKeys(text, place) };
}
