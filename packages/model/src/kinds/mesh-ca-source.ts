import { checkDataSource, type DataSource } from "../data-source.ts";
import type { Violation } from "../violation.ts";

/** What is wrong with a source that may be left out. */
export function checkSource(source: DataSource | undefined, field: string): readonly Violation[] {
  return source === undefined ? [] : checkDataSource(source, field);
}
