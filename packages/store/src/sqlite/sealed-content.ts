import type { DatabaseSync } from "node:sqlite";
import { type Cursor, FIRST_ROW, previousContent, type ReadContent, resealSome } from "./reseal.ts";
import type { ChangeRow, ResourceRow } from "./rows.ts";
import { type DataKeys, newestKey, damaged, seal, SEAL_MARK, sealMark, type SealPlace, unseal } from "./seal.ts";
import type { DataKey, DataKeyRow, KeyChange, RotationStep } from "./worker-protocol.ts";

/** Rows of one step of a rotation: some milliseconds, in which writes wait. */
const STEP = 100;

/**
 * The content of a store file, encrypted: all of it, so that nobody has to know which field of which kind may hold a
 * secret. Types, names, versions and times stay readable. A file has either no data key and plain content, or data
 * keys and nothing plain; one transaction takes it from the first state to the second, and nothing takes it back.
 */
export class SealedContent {
  readonly #db: DatabaseSync;
  readonly #transaction: (work: () => void) => void;
  #keys: DataKeys = new Map();
  #cursor: Cursor | undefined;

  /** `transaction` runs its work whole or not at all, and ends when that is on disk. */
  constructor(db: DatabaseSync, transaction: (work: () => void) => void) {
    this.#db = db;
    this.#transaction = transaction;
  }

  wrappedKeys(): readonly DataKeyRow[] {
    return this.#db.prepare("SELECT * FROM data_keys ORDER BY id").all() as unknown as readonly DataKeyRow[];
  }

  /** Takes the data keys of the file, encrypts what is plain if this is the first time, ends a rotation that was cut off. */
  begin(keys: readonly DataKey[], change: KeyChange): void {
    const isFirst = keys.length === 0;
    if (isFirst && this.#holds(SEAL_MARK)) throw damaged("its content is encrypted, and the data keys are gone");
    this.#keys = withKeys(new Map(), keys);
    this.#transaction(() => {
      this.#write(change);
      if (change.add === undefined) return;
      this.#keys = withKeys(this.#keys, [change.add]);
      if (isFirst) this.#sealPlain();
    });
    if (this.#keys.size < 2) return;
    this.#cursor = FIRST_ROW;
    while (!this.continueRotation().isDone);
  }

  /** Adds a data key, which encrypts from now on; `continueRotation` brings the rest to it. Gives the number of rows. */
  startRotation(change: KeyChange): number {
    this.#transaction(() => this.#write(change));
    // Only now: a key that did not reach the disk must encrypt nothing.
    if (change.add !== undefined) this.#keys = withKeys(this.#keys, [change.add]);
    this.#cursor = FIRST_ROW;
    const count = "SELECT (SELECT count(*) FROM resources) + (SELECT count(*) FROM changes) AS rows";
    return Number(this.#db.prepare(count).get()?.["rows"]);
  }

  /** Visits some more rows; done when all content has the newest key, and the others are gone. */
  continueRotation(): RotationStep {
    const cursor = this.#cursor;
    if (cursor === undefined) return { visited: 0, isDone: true };
    let next: Cursor | undefined;
    this.#transaction(() => {
      next = this.#step(cursor, (place, text) => unseal(this.#keys, place, text), STEP);
      if (next === undefined) this.#deleteOldKeys();
    });
    this.#cursor = next;
    if (next !== undefined) return { visited: STEP, isDone: false };
    const newest = newestKey(this.#keys);
    this.#keys = new Map([...this.#keys].filter(([number]) => number === newest));
    return { visited: STEP, isDone: true };
  }

  /** What is stored for this content. */
  toStore(place: SealPlace, json: string): string {
    return this.#keys.size === 0 ? json : seal(this.#keys, place, json);
  }

  /** Throws, as for a damaged file, for content that is not sealed for this place; also for plain content among sealed. */
  resource<Row extends ResourceRow>(row: Row): Row {
    return this.#keys.size === 0 ? row : { ...row, content: unseal(this.#keys, row, row.content) };
  }

  /** The same for a row of `changes`. */
  change(row: ChangeRow): ChangeRow {
    if (this.#keys.size === 0 || row.change === "jump") return row;
    const read: ReadContent = (place, text) => unseal(this.#keys, place, text);
    return { ...this.resource(row), previous_content: previousContent(row, read) };
  }

  /**
   * Leaves no page in the files that holds what was replaced by its encrypted form. True when that is so; false while
   * a reader, such as a backup, keeps the old pages: the next start tries again.
   */
  removeLeftovers(): boolean {
    if (this.#db.prepare("SELECT 1 FROM leftovers").get() === undefined) return true;
    this.#db.exec("VACUUM");
    if (this.#db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.["busy"] !== 0) return false;
    this.#db.exec("DELETE FROM leftovers");
    return true;
  }

  #write({ add, rewrapped }: KeyChange): void {
    const update = this.#db.prepare("UPDATE data_keys SET key_id = ?, wrapped = ? WHERE id = ?");
    for (const { id, key_id: keyId, wrapped } of rewrapped) update.run(keyId, wrapped, id);
    // The old wrapping is taken out of the files as well: it is what a key that leaked would open.
    if (rewrapped.length > 0) this.#db.exec("INSERT INTO leftovers VALUES (1)");
    if (add !== undefined) {
      this.#db.prepare("INSERT INTO data_keys VALUES (?, ?, ?)").run(add.id, add.key_id, add.wrapped);
    }
  }

  #sealPlain(): void {
    if (this.#holds("{")) this.#db.exec("INSERT INTO leftovers VALUES (1)");
    let cursor: Cursor | undefined = FIRST_ROW;
    while (cursor !== undefined) cursor = this.#step(cursor, (_place, text) => text, 1_000);
  }

  #step(cursor: Cursor, read: ReadContent, limit: number): Cursor | undefined {
    return resealSome(this.#db, { keys: this.#keys, read, limit }, cursor);
  }

  #deleteOldKeys(): void {
    const newest = newestKey(this.#keys);
    for (const number of this.#keys.keys()) {
      if (number !== newest && this.#holds(sealMark(number))) throw new Error(`data key ${number} is still in use`);
    }
    this.#db.prepare("DELETE FROM data_keys WHERE id <> ?").run(newest);
    this.#db.exec("INSERT INTO leftovers VALUES (1)");
  }

  /** Whether some content begins so. */
  #holds(begin: string): boolean {
    const sql = `SELECT 1 FROM resources WHERE substr(content, 1, $length) = $begin UNION ALL SELECT 1 FROM changes
      WHERE change <> 'jump' AND (substr(content, 1, $length) = $begin OR substr(previous_content, 1, $length) = $begin)
      LIMIT 1`;
    return this.#db.prepare(sql).get({ length: begin.length, begin }) !== undefined;
  }
}

function withKeys(keys: DataKeys, added: readonly DataKey[]): DataKeys {
  return new Map([...keys, ...added.map(({ id, key }) => [id, key] as const)]);
}
