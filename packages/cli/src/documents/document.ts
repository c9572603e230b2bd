import type { Json } from "../json.ts";

/** One resource as a user wrote it. */
export interface Document {
  /** "policy.yaml:14, document 2": where a message says it is. */
  readonly place: string;
  readonly type: string;
  readonly mesh: string;
  readonly name: string;
  readonly content: Json;
}

/** A place in a source that cannot be read as a document, with what to show of it. */
export interface Unreadable {
  readonly place: string;
  readonly message: string;
  /** The line, and a mark under the column. */
  readonly excerpt?: string;
}

/** Meshes first, then secrets, then the rest as written: what others refer to comes before them. */
export function inApplyOrder(documents: readonly Document[]): readonly Document[] {
  return documents.toSorted((a, b) => rank(a) - rank(b));
}

function rank({ type }: Document): number {
  if (type === "Mesh") return 0;
  return type === "Secret" || type === "GlobalSecret" ? 1 : 2;
}
