import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** Makes the folder of the store, its parents too, unless it is there. Throws when it cannot be. */
export async function makeDataFolder(folder: string): Promise<void> {
  await makeFolder(folder).catch((cause: NodeJS.ErrnoException) => {
    const state = STATES[cause.code ?? ""] ?? cause.message;
    const next = "choose another one with --data / HEDDLE_DATA, or keep nothing with --store memory";
    throw new Error(`Cannot use the data folder "${folder}": ${state}; ${next}`, { cause });
  });
}

/**
 * Node's own `recursive` tries for ever where a file system denies that a parent is there, as /proc does: it makes the
 * parent, which is there, and tries again.
 */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && (await isFolder(folder))) return;
    if (code !== "ENOENT" || (await isFolder(dirname(folder)))) throw error;
    await makeFolder(dirname(folder));
    await mkdir(folder, { mode: 0o700 });
  }
}

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

const STATES: Readonly<Record<string, string>> = {
  EEXIST: "it is a file",
  ENOENT: "no folder can be made there",
  ENOTDIR: "a file is where one of its parents should be",
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  EROFS: "the file system is read-only",
};
