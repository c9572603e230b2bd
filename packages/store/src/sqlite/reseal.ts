import type { DatabaseSync } from "node:sqlite";
import type { ChangeRow, ResourceRow } from "./rows.ts";
import { type DataKeys, newestKey, seal, sealMark, type SealPlace } from "./seal.ts";

/** How far a walk over all content has come; a table's rows are visited in the order of their rowid. */
export interface Cursor {
  readonly table: "resources" | "changes";
  readonly after: number;
}

export const FIRST_ROW: Cursor = { table: "resources", after: 0 };

/** How content is read that is not sealed with the newest key. */
export type ReadContent = (place: SealPlace, text: string) => string;

/**
 * Seals the content of some rows with the newest key, inside the caller's transaction. Gives the place to go on, or
 * undefined at the end. What is written meanwhile needs no visit: a write seals with the newest key, and what it copies
 * from a resource to the changes comes to lie behind the cursor.
 */
export function resealSome(
  db: DatabaseSync,
  { keys, read, limit }: { readonly keys: DataKeys; readonly read: ReadContent; readonly limit: number },
  { table, after }: Cursor,
): Cursor | undefined {
  const again = (place: SealPlace, text: string): string =>
    text.startsWith(sealMark(newestKey(keys))) ? text : seal(keys, place, read(place, text));
  const rows = db.prepare(SELECT[table]).all(after, limit) as unknown as readonly (ChangeRow & {
    readonly place: number;
  })[];
  const update = db.prepare(UPDATE[table]);
  for (const row of rows) {
    if (table === "resources") update.run(again(row, row.content), row.place);
    else if (row.change !== "jump") update.run(again(row, row.content), previousContent(row, again), row.place);
  }
  const last = rows.at(-1);
  if (last !== undefined) return { table, after: last.place };
  return table === "resources" ? { table: "changes", after: 0 } : undefined;
}

/** What a put replaced, at the version that it had. */
export function previousContent(
  row: ResourceRow & Pick<ChangeRow, "previous_version" | "previous_content">,
  change: ReadContent,
): string | null {
  const { previous_version: version, previous_content: content } = row;
  return version === null || content === null ? null : change({ ...row, version }, content);
}

const SELECT = {
  resources: "SELECT rowid AS place, * FROM resources WHERE rowid > ? ORDER BY rowid LIMIT ?",
  changes: "SELECT rowid AS place, * FROM changes WHERE rowid > ? ORDER BY rowid LIMIT ?",
} as const;

const UPDATE = {
  resources: "UPDATE resources SET content = ? WHERE rowid = ?",
  changes: "UPDATE changes SET content = ?, previous_content = ? WHERE rowid = ?",
} as const;
