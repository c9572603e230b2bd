import type { DataSource } from "@heddle/model/data-source.ts";

/** Reads a source; throws with the reason. */
export type ReadSource = (source: DataSource, field: string) => Promise<string>;

/** How long to wait for one certificate, and for the chain of the authority; milliseconds. */
export interface Timeouts {
  readonly issueTimeout: number;
  readonly chainTimeout: number;
}
