import { resolve } from "node:path";
import { StoreError, type Store } from "@heddle/model/store.ts";
import { CachedStore } from "./cached/cached-store.ts";
import { KEEP_CHANGES, type StoreSettings } from "./settings.ts";
import { unavailable } from "./sqlite/failure.ts";
import { resourceFromRow } from "./sqlite/rows.ts";
import type { Answers } from "./sqlite/worker-protocol.ts";
import { WorkerLog } from "./sqlite/worker-log.ts";

/** Where the SQLite store lives. */
export interface SqliteSettings extends StoreSettings {
  /** Path of the database; its folder is created when missing. Beside it: `-wal`, `-shm` and `.lock`. */
  readonly file: string;
}

/** Changes that lagging readers get from memory; older ones are read from the file. */
const KEEP_IN_MEMORY = 1_000;

/**
 * Opens or creates the store in one file, for one process. Reads come from memory: all resources are held there.
 * Throws StoreError "unavailable" when another process has it open, or when the file is damaged, newer, or not ours.
 */
export async function openSqliteStore(settings: SqliteSettings): Promise<Store> {
  return await openWith(settings, async (log) => {
    const keys = await log.open();
    if (keys.length === 0) return await log.ask({ do: "load", keys: [], change: { rewrapped: [] } });
    const state = `it is encrypted with key "${keys[0]?.key_id}"; open it with that key`;
    throw new StoreError("unavailable", `Cannot open store "${resolve(settings.file)}": ${state}`);
  });
}

/** Opens the file, has `load` load what it holds, and puts a cache over it. */
export async function openWith(
  settings: SqliteSettings,
  load: (log: WorkerLog) => Promise<Answers["load"]>,
): Promise<Store> {
  const { keepChanges = KEEP_CHANGES, now = () => new Date() } = settings;
  const file = resolve(settings.file);
  const log = new WorkerLog({ file, keepChanges });
  try {
    const loaded = await load(log);
    const resources = loaded.resources.map(resourceFromRow);
    const keepInMemory = Math.min(keepChanges, KEEP_IN_MEMORY);
    return new CachedStore({ log, resources, revision: loaded.revision, keepInMemory, now });
  } catch (error) {
    await log.close().catch(() => undefined); // the first error is the one to tell
    throw unavailable("open", file, error);
  }
}
