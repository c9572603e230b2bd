import { closeSync, openSync } from "node:fs";
import { hostname } from "node:os";
import { DatabaseSync } from "node:sqlite";
import { StoreError } from "@heddle/model/store.ts";

/**
 * Makes this process the only one that works on `file`, until the given database is closed or the process ends, however
 * it ends: what is held is SQLite's RESERVED lock on a database beside the file, and the system gives that lock back.
 * Readers are let through, so a second process can tell who holds it. Throws StoreError "unavailable" when it is held.
 *
 * The lock is not on the store itself so that backups and a SQLite shell may read the store while it is in use.
 */
export function takeLock(file: string): DatabaseSync {
  const lockFile = `${file}.lock`;
  createPrivateFile(lockFile);
  const lock = new DatabaseSync(lockFile, { timeout: 200 });
  try {
    lock.exec("BEGIN IMMEDIATE");
    lock.exec(
      "CREATE TABLE IF NOT EXISTS holder (pid INTEGER NOT NULL, host TEXT NOT NULL) STRICT; DELETE FROM holder",
    );
    lock.prepare("INSERT INTO holder VALUES (?, ?)").run(process.pid, hostname());
    lock.exec("COMMIT; BEGIN IMMEDIATE");
    return lock;
  } catch (error) {
    const holder = isBusy(error) ? holderOf(lock) : undefined;
    lock.close();
    if (holder === undefined) throw error;
    const next = "stop that one, or choose another data folder for this one";
    throw new StoreError("unavailable", `Cannot open store "${file}": ${holder} has it open; ${next}`, {
      cause: error,
    });
  }
}

/**
 * Creates a file that only its owner may read, unless it exists. Never opens one that exists: closing it again would
 * drop the POSIX locks that another store in this process holds on it (https://www.sqlite.org/howtocorrupt.html, 2.2).
 */
export function createPrivateFile(file: string): void {
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}

const SQLITE_BUSY = 5;

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY;
}

function holderOf(lock: DatabaseSync): string {
  try {
    const row = lock.prepare("SELECT pid, host FROM holder").get();
    return row === undefined ? "another process" : `process ${String(row["pid"])} on ${String(row["host"])}`;
  } catch {
    return "another process"; // the holder is only just writing its number
  }
}
