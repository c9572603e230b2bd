import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createPrivateFile, takeLock } from "./lock.ts";
import { migrate } from "./schema.ts";

/** An open store file, and the lock that keeps other processes out. */
export interface StoreFile {
  readonly db: DatabaseSync;
  readonly lock: DatabaseSync;
}

/** Opens or creates a store file: folder 0700 (if it is new), file 0600, locked, checked for damage, schema current. */
export function openStoreFile(file: string): StoreFile {
  createFolder(dirname(file));
  const lock = takeLock(file);
  try {
    createPrivateFile(file);
    // SQLite gives its -wal and -shm files the mode of the database.
    chmodSync(file, 0o600);
    return { db: openDatabase(file), lock };
  } catch (error) {
    lock.close();
    throw error;
  }
}

/** Waits at most this long for a backup that holds the file. */
const BUSY_MILLIS = 5_000;

function openDatabase(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: BUSY_MILLIS });
  try {
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF");
    // Moving 4,000 pages (16 MB) from the WAL to the database takes some 30 ms of a busy writer's time; SqliteLog does
    // it earlier when it is quiet. After a burst the WAL shrinks to that size again.
    db.exec("PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 16777216");
    // macOS answers a plain fsync from the drive's cache.
    db.exec("PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON");
    assertUndamaged(db);
    migrate(db, file);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

const SQLITE_CORRUPT = 11;

function assertUndamaged(db: DatabaseSync): void {
  const words = String(db.prepare("PRAGMA quick_check(1)").get()?.["quick_check"]);
  if (words !== "ok") throw Object.assign(new Error(words), { errcode: SQLITE_CORRUPT });
}

function createFolder(folder: string): void {
  const created = mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (created !== undefined) syncParents(folder, dirname(created));
}

/** A new folder outlives a power cut only when the folders above it, up to one that existed, have reached the disk. */
function syncParents(folder: string, last: string): void {
  for (let parent = dirname(folder); parent.length >= last.length; parent = dirname(parent)) {
    syncFolder(parent);
    if (parent === dirname(parent)) return;
  }
}

function syncFolder(folder: string): void {
  try {
    const descriptor = openSync(folder, "r");
    fsyncSync(descriptor);
    closeSync(descriptor);
  } catch {
    // Windows and some network file systems cannot sync a folder; SQLite goes on without it there, and so does this.
  }
}
