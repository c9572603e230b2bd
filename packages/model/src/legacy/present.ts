import type { MeshSpec } from "../kinds/mesh.ts";
import { legacyKindOf } from "./index.ts";

/** A document of today as users write it. */
export interface TodaysDocument {
  readonly type: string;
  readonly mesh: string;
  readonly name: string;
  readonly spec: unknown;
}

/** What a resource of Kuma 2.x is today, in the words of users. */
export interface Presented {
  readonly documents: readonly TodaysDocument[];
  readonly notes: readonly string[];
}

interface Written {
  readonly type: string;
  readonly mesh: string;
  readonly name: string;
  readonly spec: unknown;
}

/** Shows what a resource of Kuma 2.x is in today's kinds; undefined for resources of other kinds. */
export function present(
  { type, mesh, name, spec }: Written,
  owner: { readonly name: string; readonly spec: MeshSpec },
): Presented | undefined {
  const translation = legacyKindOf(type)?.legacy.translate(spec, { name, mesh: owner });
  if (translation === undefined) return undefined;
  const written = translation.policies.filter(({ inert }) => inert !== true);
  return {
    documents: written.map((policy) => ({ type: policy.type, mesh, name: policy.name, spec: policy.spec })),
    notes:
      written.length > 0 || translation.notes.length > 0
        ? translation.notes
        : ["nothing of today is needed: it says what happens without it"],
  };
}

/** One line that says what a resource of Kuma 2.x became. */
export function summary({ type, name }: Written, { documents }: Presented): string {
  if (documents.length === 0) return `${type} is a kind of Kuma 2.x, and this one changes nothing today`;
  const kinds = [...new Set(documents.map((document) => document.type))];
  const parts = kinds.map((kind) => {
    const names = documents.filter((document) => document.type === kind).map((document) => `"${document.name}"`);
    return `${kind} ${names.join(", ")}`;
  });
  return `${type} is a kind of Kuma 2.x: "${name}" is in force as ${parts.join(" and ")}`;
}
