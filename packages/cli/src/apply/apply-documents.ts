import { RefusedError } from "../api/explain-refusal.ts";
import type { Api } from "../api/api.ts";
import type { ResourceType } from "../api/resource-types.ts";
import { putResource, type WriteOutcome, type Written } from "../api/write.ts";
import { CliError, Interrupted, UsageError } from "../cli-error.ts";
import type { Document } from "../documents/document.ts";

/** What became of one document. */
export type Applied = { readonly document: Document; readonly type: ResourceType | undefined } & (
  | (Written & { readonly outcome: WriteOutcome })
  | { readonly outcome: "failed"; readonly error: CliError }
);

/**
 * Sends each document on its own and tells its outcome at once. A refused document is an outcome and the next one
 * follows; when the control plane cannot be reached any more, or on Ctrl-C, the error says how far it came.
 */
export async function applyDocuments(
  api: Api,
  types: readonly ResourceType[],
  documents: readonly Document[],
  tell: (applied: Applied) => void,
): Promise<readonly Applied[]> {
  const all: Applied[] = [];
  for (const document of documents) {
    const applied = await applyDocument(api, types, document).catch((error: unknown) => {
      throw stoppedAfter(all.length, documents.length, error);
    });
    all.push(applied);
    tell(applied);
  }
  return all;
}

async function applyDocument(api: Api, types: readonly ResourceType[], document: Document): Promise<Applied> {
  let type: ResourceType | undefined;
  try {
    type = await resolveDocumentType(types, document);
    return { document, type, ...(await putResource(api, { ...document, type }, bodyOf(type, document))) };
  } catch (error) {
    if (error instanceof RefusedError || error instanceof UsageError)
      return { document, type, outcome: "failed", error };
    throw error;
  }
}

/** The type that a document names. Unlike a word on the command line it must be written in full. */
export async function resolveDocumentType(types: readonly ResourceType[], { type }: Document): Promise<ResourceType> {
  const found = types.find(({ name }) => name === type);
  if (found === undefined) throw await unknownType(types, type);
  return found;
}

/** What is sent for a document: it as it is written, with the mesh that it belongs to. */
export function bodyOf(type: ResourceType, { content, mesh }: Document): Readonly<Record<string, unknown>> {
  return type.scope === "Mesh" ? { ...content, mesh } : content;
}

async function unknownType(types: readonly ResourceType[], type: string): Promise<UsageError> {
  const { nearest } = await import("@heddle/model/schema.ts");
  const near = nearest(
    type,
    types.map(({ name }) => name),
  );
  return new UsageError(`Cannot apply type "${type}": the control plane knows no such type`, {
    next: [near === undefined ? "All types: heddle get" : `Write it as "${near}"`],
  });
}

function stoppedAfter(written: number, total: number, error: unknown): unknown {
  const state = written === 0 ? "nothing was sent" : `${written} of ${total} documents were sent`;
  const again = ["Run the same command again: what is written already then reads unchanged"];
  if (error instanceof CliError) {
    return new CliError(`${error.message}; ${state}`, { details: error.details, next: error.next, cause: error });
  }
  if (error instanceof Error && error.name === "AbortError")
    return new Interrupted(`Stopped: ${state}`, { next: again });
  return error;
}
