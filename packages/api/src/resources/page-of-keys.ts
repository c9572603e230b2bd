import type { Violation } from "@heddle/model/violation.ts";
import { invalid } from "../http/api-error.ts";
import { readSize } from "./list-query.ts";

interface Named {
  readonly mesh: string;
  readonly name: string;
}

/** The order of lists: by mesh, then by name. */
export function nameOrder(a: Named, b: Named): number {
  return compare(a.mesh, b.mesh) || compare(a.name, b.name);
}

/**
 * One page of a list that was computed rather than stored, in `nameOrder`. `offset` is the last name given, so a page
 * stays right when others come and go. Throws ApiError 400 for a wrong size.
 */
export function pageOfKeys<T extends Named>(
  keys: readonly T[],
  query: URLSearchParams,
): { readonly total: number; readonly items: readonly T[]; readonly next?: string } {
  const violations: Violation[] = [];
  const size = readSize(query.get("size"), violations);
  if (violations.length > 0) throw invalid(violations, "Invalid query");
  const part = query.get("name") ?? "";
  const all = keys.filter((key) => key.name.includes(part));
  const [mesh = "", name = ""] = (query.get("offset") ?? "").split("/");
  const rest = name === "" ? all : all.filter((key) => nameOrder(key, { mesh, name }) > 0);
  const items = rest.slice(0, size);
  const last = items.at(-1);
  return { total: all.length, items, ...(last && rest.length > size ? { next: `${last.mesh}/${last.name}` } : {}) };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
