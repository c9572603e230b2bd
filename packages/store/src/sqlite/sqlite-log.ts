import { statSync } from "node:fs";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { StoreError } from "@heddle/model/store.ts";
import type { Commit, LogRecord } from "../cached/durable-log.ts";
import { openStoreFile, type StoreFile } from "./database.ts";
import type { ChangeRow, ResourceRow } from "./rows.ts";
import { SealedContent } from "./sealed-content.ts";
import type { Answers, DataKey, KeyChange } from "./worker-protocol.ts";

/** Relaxed changes get revisions up to this far above the newest one that is safe on disk. */
const RESERVE = 1_000;

/** Changes that fill about 4 MB of WAL. */
const CHECKPOINT_CHANGES = 250;

/**
 * The durable log in a SQLite file, synchronous: it runs in a thread of its own (worker.ts). A full commit syncs the
 * WAL, a relaxed one only writes it; both go through one connection, so the order on disk is the order of revisions and
 * a full commit makes the relaxed ones before it safe too.
 */
export class SqliteLog {
  readonly sealed: SealedContent;
  readonly #file: string;
  readonly #store: StoreFile;
  readonly #sql: Statements;
  readonly #keepChanges: number;
  readonly #identity: string;
  #synchronous: Commit["durability"] = "full";
  #ceiling: number;
  #pruned = 0;
  #sinceCheckpoint = 0;

  /** Throws SQLite's error, the system's, or StoreError "unavailable" with the full story. */
  constructor(file: string, keepChanges: number) {
    this.#file = file;
    this.#store = openStoreFile(file);
    this.#identity = identityOf(file) ?? "";
    this.#sql = prepareStatements(this.#store.db);
    this.#keepChanges = Math.max(1, keepChanges);
    this.sealed = new SealedContent(this.#store.db, (work) => {
      this.#synchronize("full");
      this.#transaction(work);
    });
    this.#ceiling = Number(this.#sql.ceiling.get()?.["ceiling"]);
    if (this.#ceiling > this.revision()) this.#sql.jump.run(this.#ceiling, this.#ceiling);
  }

  /** Everything that is stored, once the keys that it is sealed with are known. */
  load(keys: readonly DataKey[], change: KeyChange): Answers["load"] {
    this.sealed.begin(keys, change);
    const rows = this.#sql.resources.all() as unknown as readonly ResourceRow[];
    return { resources: rows.map((row) => this.sealed.resource(row)), revision: this.revision() };
  }

  /**
   * The newest revision. When a process ended without closing, this is the ceiling: after a power cut some relaxed
   * changes below it may be lost, and their revisions must not come back with another meaning.
   */
  revision(): number {
    return Number(this.#sql.revision.get()?.["revision"]);
  }

  commit({ durability, records }: Commit): void {
    this.#assertSameFile();
    const last = records.at(-1)?.revision ?? 0;
    const raises = durability === "relaxed" && last > this.#ceiling;
    this.#synchronize(raises ? "full" : durability);
    this.#transaction(() => {
      for (const record of records) this.#write(record, last);
      if (raises) this.#sql.setCeiling.run(last + RESERVE);
      if (this.#prunes(last)) this.#sql.prune.run(last - this.#keepChanges);
    });
    if (raises) this.#ceiling = last + RESERVE;
    if (this.#prunes(last)) this.#pruned = last;
    this.#sinceCheckpoint += records.length;
  }

  /** Moves the WAL into the database if that is worth it, so that no writer has to wait for it later. */
  checkpoint(): void {
    if (this.#sinceCheckpoint < CHECKPOINT_CHANGES) return;
    this.#sinceCheckpoint = 0;
    this.#store.db.exec("PRAGMA wal_checkpoint(PASSIVE)");
  }

  /** The rest of the batch that goes on after a revision; undefined when that revision is forgotten or never was. */
  read(after: number): readonly ChangeRow[] | undefined {
    const rows = this.#sql.batchAfter.all({ after }) as unknown as readonly ChangeRow[];
    const first = rows[0];
    if (first === undefined) return undefined;
    const follows = first.change !== "jump" && first.revision === after + 1;
    if (!follows && this.#sql.change.get(after) === undefined) return undefined;
    return rows.map((row) => this.sealed.change(row));
  }

  /** Gives back the revisions that were reserved and not used, then the file and the lock. */
  close(): void {
    const { db, lock } = this.#store;
    try {
      this.#synchronize("full");
      this.#sql.setCeiling.run(this.revision());
    } catch {
      // On a disk in trouble the reserved revisions stay reserved: the next start skips them, nothing is lost.
    }
    db.close();
    lock.close();
  }

  #write(record: LogRecord, batchEnd: number): void {
    const key = [record.type, record.mesh, record.name] as const;
    const old = this.#sql.resource.get(...key) as unknown as ResourceRow | undefined;
    const { revision, creationTime, modificationTime, json } = record;
    if (record.change === "put") {
      const content = this.sealed.toStore({ ...record, version: revision }, json);
      const columns = [revision, creationTime, modificationTime, content] as const;
      const previous = [old?.version ?? null, old?.modification_time ?? null, old?.content ?? null] as const;
      this.#sql.put.run(...key, ...columns);
      this.#sql.addChange.run(revision, batchEnd, "put", ...key, ...columns, ...previous);
    } else {
      if (old === undefined) throw new Error(`"${key.join("/")}" is not in the file`);
      const columns = [old.version, old.creation_time, old.modification_time, old.content] as const;
      this.#sql.remove.run(...key);
      this.#sql.addChange.run(revision, batchEnd, "delete", ...key, ...columns, null, null, null);
    }
  }

  #transaction(work: () => void): void {
    const { db } = this.#store;
    db.exec("BEGIN IMMEDIATE");
    try {
      work();
      db.exec("COMMIT");
    } catch (error) {
      // SQLite has rolled back already after some errors, a full disk for one.
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    }
  }

  #synchronize(durability: Commit["durability"]): void {
    if (durability === this.#synchronous) return;
    this.#store.db.exec(`PRAGMA synchronous = ${durability === "full" ? "FULL" : "NORMAL"}`);
    this.#synchronous = durability;
  }

  #prunes(last: number): boolean {
    return last - this.#pruned > this.#keepChanges / 10;
  }

  /** Whoever deletes or replaces an open file leaves us writing to one that no restart will find. */
  #assertSameFile(): void {
    if (identityOf(this.#file) === this.#identity) return;
    const state =
      "the file was removed or replaced while in use; restart the control plane to go on with what is there";
    throw new StoreError("unavailable", `Cannot write to store "${this.#file}": ${state}`);
  }
}

function identityOf(file: string): string | undefined {
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : `${stats.dev}:${stats.ino}`;
}

type Statements = Readonly<Record<keyof typeof SQL, StatementSync>>;

const SQL = {
  resources: "SELECT * FROM resources ORDER BY type, mesh, name",
  resource: "SELECT * FROM resources WHERE type = ? AND mesh = ? AND name = ?",
  put: "INSERT OR REPLACE INTO resources VALUES (?, ?, ?, ?, ?, ?, ?)",
  remove: "DELETE FROM resources WHERE type = ? AND mesh = ? AND name = ?",
  revision: "SELECT coalesce(max(revision), 0) AS revision FROM changes",
  change: "SELECT revision FROM changes WHERE revision = ?",
  addChange: "INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  batchAfter: `SELECT * FROM changes WHERE revision > $after AND revision <=
    (SELECT batch_end FROM changes WHERE revision > $after ORDER BY revision LIMIT 1) ORDER BY revision`,
  jump: "INSERT INTO changes VALUES (?, ?, 'jump', '', '', '', 0, '', '', '{}', NULL, NULL, NULL)",
  prune: "DELETE FROM changes WHERE revision <= ?",
  ceiling: "SELECT ceiling FROM revisions",
  setCeiling: "UPDATE revisions SET ceiling = ?",
} as const;

function prepareStatements(db: DatabaseSync): Statements {
  const entries = Object.entries(SQL).map(([name, text]) => [name, db.prepare(text)] as const);
  return Object.fromEntries(entries) as unknown as Statements;
}
