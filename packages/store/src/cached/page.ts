import type { Resource } from "@heddle/model/resource.ts";
import { StoreError, type ListQuery, type Page } from "@heddle/model/store.ts";
import { compareKeys } from "./tables.ts";

/**
 * Answers a query from resources of the right type and mesh in list order. Throws StoreError "invalid" for a size
 * below one and for an offset that is not the `next` of a page.
 */
export function pageOf(candidates: readonly Resource[], query: ListQuery): Page {
  const size = checkedSize(query);
  const matching = candidates.filter((resource) => matches(resource, query));
  const start = query.offset === undefined ? 0 : indexAfter(matching, query.type, query.offset);
  const items = matching.slice(start, start + size);
  const last = items.at(-1);
  const isLastPage = last === undefined || start + items.length >= matching.length;
  return { items, total: matching.length, ...(isLastPage ? {} : { next: offsetAfter(last) }) };
}

function matches(resource: Resource, { nameContains, labels, where }: ListQuery): boolean {
  if (nameContains !== undefined && !resource.name.includes(nameContains)) return false;
  if (labels !== undefined && !hasLabels(resource, labels)) return false;
  return where === undefined || where(resource);
}

function hasLabels(resource: Resource, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(([name, value]) => resource.labels[name] === value);
}

function checkedSize({ type, size = Number.POSITIVE_INFINITY }: ListQuery): number {
  if (size >= 1) return size;
  throw new StoreError("invalid", `Cannot list "${type}": the size is ${size}; ask for one resource or more`);
}

/** An offset is the key of the last resource given, so it stays right when others come and go. */
function offsetAfter({ mesh, name }: Resource): string {
  return Buffer.from(JSON.stringify([mesh, name])).toString("base64url");
}

function indexAfter(matching: readonly Resource[], type: string, offset: string): number {
  const place = placeOf(offset);
  if (place === undefined) {
    const next = 'take it from "next" of the page before, or leave it out';
    throw new StoreError("invalid", `Cannot list "${type}": the offset "${offset}" is not one of this store; ${next}`);
  }
  const index = matching.findIndex((resource) => compareKeys(resource, place) > 0);
  return index === -1 ? matching.length : index;
}

function placeOf(offset: string): { readonly mesh: string; readonly name: string } | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(offset, "base64url").toString());
    const [mesh, name] = Array.isArray(parsed) ? (parsed as readonly unknown[]) : [];
    return typeof mesh === "string" && typeof name === "string" ? { mesh, name } : undefined;
  } catch {
    return undefined;
  }
}
