import type { Api } from "../api/api.ts";
import { RefusedError } from "../api/explain-refusal.ts";
import { addressPath, addressText, type Address, type ResourceType } from "../api/resource-types.ts";
import { isRecord, type Json } from "../json.ts";
import type { Document } from "../documents/document.ts";
import { bodyOf, resolveDocumentType } from "./apply-documents.ts";

/** A document beside what is stored under its name now. */
export interface Preview {
  readonly title: string;
  readonly before: Json | undefined;
  readonly after: Json;
}

/** Looks up what documents would replace. */
export function readPreviews(
  api: Api,
  types: readonly ResourceType[],
  documents: readonly Document[],
): Promise<readonly Preview[]> {
  return Promise.all(
    documents.map(async (document) => {
      const type = await resolveDocumentType(types, document);
      const address = { ...document, type };
      return { title: addressText(address), before: await readStored(api, address), after: bodyOf(type, document) };
    }),
  );
}

async function readStored(api: Api, address: Address): Promise<Json | undefined> {
  try {
    const stored = await api.json({ path: addressPath(address), action: `read ${addressText(address)}` });
    return isRecord(stored) ? stored : undefined;
  } catch (error) {
    if (error instanceof RefusedError && error.status === 404) return undefined;
    throw error;
  }
}
