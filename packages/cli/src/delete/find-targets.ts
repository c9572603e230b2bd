import type { Api } from "../api/api.ts";
import { listTypes, resolveType, type Address } from "../api/resource-types.ts";
import { resolveDocumentType } from "../apply/apply-documents.ts";
import { UsageError } from "../cli-error.ts";
import { readDocuments, type ReadOptions } from "../documents/read-documents.ts";

/** What a user named: a type with names, or places with documents. */
export interface Named {
  readonly type: string | undefined;
  readonly names: readonly string[];
  readonly places: readonly string[];
}

/** The resources that are to be deleted, in the order in which they go. */
export async function findTargets(api: Api, named: Named, options: ReadOptions): Promise<readonly Address[]> {
  const { type, names, places } = named;
  if (type === undefined && places.length === 0) {
    throw new UsageError("Cannot delete: no resource is named", {
      next: ["heddle delete TYPE NAME", "heddle delete -f FILE"],
    });
  }
  if (type === undefined) return findInDocuments(api, places, options);
  if (places.length > 0) throw new UsageError("Cannot delete both by name and by file: choose one");
  if (names.length === 0) {
    throw new UsageError("Cannot delete: no name is given", { next: [`heddle delete ${type} NAME`] });
  }
  const found = await resolveType(await listTypes(api), type);
  return names.map((name) => ({ type: found, mesh: options.mesh, name }));
}

// What refers to others goes before them: the order of an apply, turned around.
async function findInDocuments(api: Api, places: readonly string[], options: ReadOptions): Promise<readonly Address[]> {
  const documents = await readDocuments(places, options);
  const types = await listTypes(api);
  const targets: Address[] = [];
  for (const document of documents.toReversed()) {
    const { mesh, name } = document;
    targets.push({ type: await resolveDocumentType(types, document), mesh, name });
  }
  return targets;
}
