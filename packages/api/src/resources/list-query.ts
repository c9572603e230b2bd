import type { Kind } from "@heddle/model/kind.ts";
import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";
import { tagSets } from "@heddle/model/kinds/dataplane.ts";
import type { Labels } from "@heddle/model/labels.ts";
import type { Resource } from "@heddle/model/resource.ts";
import type { ListQuery } from "@heddle/model/store.ts";
import type { Parsed, Violation } from "@heddle/model/violation.ts";
import type { QueryParameter } from "../http/route.ts";

const DEFAULT_SIZE = 100;
const LARGEST_SIZE = 1_000;
const LABEL_FILTER = /^filter\[labels\.(.+)\]$/;

export const LIST_PARAMETERS: readonly QueryParameter[] = [
  { name: "size", description: `Most items in the answer: 1 to ${LARGEST_SIZE}, ${DEFAULT_SIZE} unless set` },
  { name: "offset", description: "Where to go on, from `next` of the page before" },
  { name: "name", description: "Only names that contain this text" },
  { name: "filter[labels.KEY]", description: "Only resources whose label KEY has this value; repeat for several" },
];
export const PROXY_LIST_PARAMETERS: readonly QueryParameter[] = [
  {
    name: "tag",
    description: "key:value, only proxies with this tag or label (the value may be a part); repeat for several",
  },
  { name: "gateway", description: "true, false, delegated or builtin" },
];

/** Reads the query of a list call. Gives every mistake in it. */
export function parseListQuery(kind: Kind, query: URLSearchParams, mesh?: string): Parsed<ListQuery> {
  const violations: Violation[] = [];
  const size = readSize(query.get("size"), violations);
  const labels = readLabelFilters(query, violations);
  const where = kind.type === "Dataplane" ? readProxyFilters(query, violations) : undefined;
  if (violations.length > 0) return { ok: false, violations };
  const name = query.get("name");
  const offset = query.get("offset");
  return {
    ok: true,
    value: {
      type: kind.type,
      size,
      ...(mesh === undefined ? {} : { mesh }),
      ...(name ? { nameContains: name } : {}),
      ...(offset ? { offset } : {}),
      ...(labels.length === 0 ? {} : { labels: Object.fromEntries(labels) }),
      ...(where === undefined ? {} : { where }),
    },
  };
}

/** Reads `size` alone, for lists that do not come from the store. */
export function readSize(text: string | null, violations: Violation[]): number {
  if (text === null || text === "") return DEFAULT_SIZE;
  const size = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (size >= 1 && size <= LARGEST_SIZE) return size;
  violations.push({ field: "size", message: `must be a number from 1 to ${LARGEST_SIZE}, not "${text.slice(0, 40)}"` });
  return DEFAULT_SIZE;
}

function readLabelFilters(query: URLSearchParams, violations: Violation[]): [string, string][] {
  return [...query].flatMap(([parameter, value]): [string, string][] => {
    if (!parameter.startsWith("filter")) return [];
    const key = LABEL_FILTER.exec(parameter)?.[1];
    if (key !== undefined) return [[key, value]];
    violations.push({
      field: parameter.slice(0, 100),
      message: "must be filter[labels.KEY]=VALUE; no other filter exists",
    });
    return [];
  });
}

type Filter = (resource: Resource) => boolean;

function readProxyFilters(query: URLSearchParams, violations: Violation[]): Filter | undefined {
  const gateway = readGateway(query.get("gateway"), violations);
  const tags = query.getAll("tag").map(splitTag);
  const filters: Filter[] = tags.map(
    ([key, part]) =>
      (proxy) =>
        hasTag(proxy, key, part),
  );
  if (gateway !== undefined) filters.push(gateway);
  return filters.length === 0 ? undefined : (proxy) => filters.every((filter) => filter(proxy));
}

function splitTag(text: string): [key: string, part: string] {
  const colon = text.indexOf(":");
  return colon === -1 ? [text, ""] : [text.slice(0, colon), text.slice(colon + 1)];
}

function hasTag(proxy: Resource, key: string, part: string): boolean {
  const sets: readonly Labels[] = [...tagSets(proxy.spec as DataplaneSpec), proxy.labels];
  return sets.some((set) => Object.hasOwn(set, key) && set[key]?.includes(part));
}

function readGateway(text: string | null, violations: Violation[]): Filter | undefined {
  const type = (proxy: Resource): string | undefined => {
    const { gateway } = (proxy.spec as DataplaneSpec).networking;
    return gateway === undefined ? undefined : (gateway.type ?? "DELEGATED");
  };
  switch (text) {
    case null:
    case "":
      return undefined;
    case "true":
      return (proxy) => type(proxy) !== undefined;
    case "false":
      return (proxy) => type(proxy) === undefined;
    case "delegated":
    case "builtin":
      return (proxy) => type(proxy) === text.toUpperCase();
    default:
      violations.push({ field: "gateway", message: "must be true, false, delegated or builtin" });
      return undefined;
  }
}
