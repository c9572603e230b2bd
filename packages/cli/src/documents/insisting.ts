import { LABEL } from "@heddle/model/labels.ts";
import type { ResourceType } from "../api/resource-types.ts";
import { record } from "../json.ts";
import type { Document } from "./document.ts";

/** The documents with every policy marked as one that goes to all proxies at once and is never taken back. */
export function insisting(documents: readonly Document[], types: readonly ResourceType[]): readonly Document[] {
  const policies = new Set(types.filter(({ isPolicy }) => isPolicy).map(({ name }) => name));
  return documents.map((document) => {
    if (!policies.has(document.type)) return document;
    const labels = { ...record(document.content["labels"]), [LABEL.hold]: "disabled" };
    return { ...document, content: { ...document.content, labels } };
  });
}
