import type { Resource } from "@heddle/model/resource.ts";
import type { StoreEvent } from "@heddle/model/store.ts";
import type { Batch } from "../cached/history.ts";
import { contentOf, resourceOf } from "../cached/draft.ts";

/** A row of `resources`; `content` is JSON with labels, spec and status. */
export interface ResourceRow {
  readonly type: string;
  readonly mesh: string;
  readonly name: string;
  readonly version: number;
  readonly creation_time: string;
  readonly modification_time: string;
  readonly content: string;
}

/** A row of `changes`: the resource as it was put or removed, and what a put replaced. */
export interface ChangeRow extends ResourceRow {
  readonly revision: number;
  readonly change: "put" | "delete" | "jump";
  readonly previous_version: number | null;
  readonly previous_modification_time: string | null;
  readonly previous_content: string | null;
}

/** Throws SyntaxError when the content is damaged. */
export function resourceFromRow(row: ResourceRow): Resource {
  return resourceOf(row, contentOf(row.content), {
    version: row.version,
    creationTime: row.creation_time,
    modificationTime: row.modification_time,
  });
}

/** The rows of one batch, at least one, as the events that its watchers saw. A jump has no event. */
export function batchFromRows(rows: readonly ChangeRow[]): Batch {
  const events = rows.flatMap(eventsFromRow);
  return { revision: rows.at(-1)?.revision ?? 0, events: Object.freeze(events) };
}

function eventsFromRow(row: ChangeRow): readonly StoreEvent[] {
  if (row.change === "jump") return [];
  const { change, revision } = row;
  const resource = resourceFromRow(row);
  const previous = change === "put" ? previousOf(row) : undefined;
  return [Object.freeze({ change, revision, resource, ...(previous === undefined ? {} : { previous }) })];
}

function previousOf(row: ChangeRow): Resource | undefined {
  const { previous_version: version, previous_modification_time: time, previous_content: content } = row;
  if (version === null || time === null || content === null) return undefined;
  return resourceFromRow({ ...row, version, modification_time: time, content });
}
