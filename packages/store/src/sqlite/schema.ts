import type { DatabaseSync } from "node:sqlite";
import { StoreError } from "@heddle/model/store.ts";

/**
 * Each step takes the file from the version that is its index to the next one (PRAGMA user_version). Steps that were
 * released are never edited: a change of the schema is a new step at the end.
 */
const MIGRATIONS: readonly string[] = [
  `
  -- content is JSON with labels, spec and status.
  CREATE TABLE resources (
    type TEXT NOT NULL,
    mesh TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    creation_time TEXT NOT NULL,
    modification_time TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (type, mesh, name)
  ) STRICT;

  -- The newest changes, for watches that go on after a restart. batch_end is the last revision of what was committed
  -- together. A "jump" is no change: revisions between it and the one before were never kept, or were lost.
  CREATE TABLE changes (
    revision INTEGER PRIMARY KEY,
    batch_end INTEGER NOT NULL,
    change TEXT NOT NULL CHECK (change IN ('put', 'delete', 'jump')),
    type TEXT NOT NULL,
    mesh TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    creation_time TEXT NOT NULL,
    modification_time TEXT NOT NULL,
    content TEXT NOT NULL,
    previous_version INTEGER,
    previous_modification_time TEXT,
    previous_content TEXT
  ) STRICT;

  -- One row: no revision above the ceiling was ever given to a change that a power cut may take back.
  CREATE TABLE revisions (ceiling INTEGER NOT NULL) STRICT;
  INSERT INTO revisions VALUES (0);
  `,
  `
  -- The keys that all content is sealed with, each encrypted by a key that is not here: key_id tells by which. Content
  -- is plain while there is none.
  CREATE TABLE data_keys (id INTEGER PRIMARY KEY, key_id TEXT NOT NULL, wrapped TEXT NOT NULL) STRICT;

  -- A row while pages that were given up may hold what was there before.
  CREATE TABLE leftovers (is_due INTEGER NOT NULL) STRICT;
  `,
];

/** Marks a SQLite file as a Heddle store ("Hedl"), so that another program's database is not taken for one. */
const APPLICATION_ID = 0x4865646c;

/** Brings a file to the schema of this release. Throws StoreError "unavailable" for a newer or a foreign one. */
export function migrate(db: DatabaseSync, file: string): void {
  const version = numberOf(db, "PRAGMA user_version");
  assertOurs(db, file, version);
  if (version === MIGRATIONS.length) return;
  db.exec("BEGIN IMMEDIATE");
  for (const step of MIGRATIONS.slice(version)) db.exec(step);
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${MIGRATIONS.length}; COMMIT`);
}

function assertOurs(db: DatabaseSync, file: string, version: number): void {
  const isEmpty = numberOf(db, "SELECT count(*) FROM sqlite_schema") === 0;
  if (!isEmpty && numberOf(db, "PRAGMA application_id") !== APPLICATION_ID) {
    const state = "it is a database of another program; choose another file";
    throw new StoreError("unavailable", `Cannot open store "${file}": ${state}`);
  }
  if (version > MIGRATIONS.length) {
    const state = `a newer Heddle wrote it (schema ${version}, this one knows up to ${MIGRATIONS.length})`;
    const next = "start that release, or restore the backup from before the upgrade";
    throw new StoreError("unavailable", `Cannot open store "${file}": ${state}; ${next}`);
  }
}

function numberOf(db: DatabaseSync, sql: string): number {
  return Number(Object.values(db.prepare(sql).get() ?? {})[0]);
}
