import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** Fields of Envoy's messages in which two resources differ: `Route.route.timeout`, each from the message it belongs to. */
export function differingPaths(before: JsonValue | undefined, after: JsonValue | undefined): ReadonlySet<string> {
  const found = new Set<string>();
  compare({ before, after, path: "" }, found);
  return found;
}

interface Pair {
  readonly before: JsonValue | undefined;
  readonly after: JsonValue | undefined;
  readonly path: string;
}

function compare({ before, after, path }: Pair, found: Set<string>): void {
  const some = before ?? after;
  if (JSON.stringify(before) === JSON.stringify(after)) return;
  if (Array.isArray(some) && (before === undefined || after === undefined)) {
    for (const item of some) compare({ before: undefined, after: item, path: `${path}[]` }, found);
  } else if (Array.isArray(before) && Array.isArray(after)) {
    for (const pair of paired(before, after)) compare({ ...pair, path: `${path}[]` }, found);
  } else if (isObject(some) && isAlike(before, after)) {
    const start = messageOf(some) ?? path;
    const keys = Object.keys({ ...(before as object), ...(after as object) }).filter((key) => key !== "@type");
    for (const key of keys)
      compare({ before: at(before, key), after: at(after, key), path: `${start}.${named(key)}` }, found);
    if (keys.length === 0) found.add(start);
  } else {
    found.add(path);
  }
}

/** Items that belong together: those with the same name, the others one after the other once equal ones are gone. */
function paired(before: readonly JsonValue[], after: readonly JsonValue[]): readonly Omit<Pair, "path">[] {
  const same = new Set(before.map((item) => JSON.stringify(item)));
  const kept = new Set(after.map((item) => JSON.stringify(item)));
  const left = before.filter((item) => !kept.has(JSON.stringify(item)));
  const right = after.filter((item) => !same.has(JSON.stringify(item)));
  if (left.length === 0 && right.length === 0) return [{ before: "one order", after: "another order" }];
  const byName = new Map(left.flatMap((item) => (nameOf(item) === undefined ? [] : [[nameOf(item), item]])));
  const unnamed = left.filter(
    (item) => !right.some((other) => nameOf(other) !== undefined && nameOf(other) === nameOf(item)),
  );
  const pairs = right.map((item) => {
    const partner = byName.get(nameOf(item)) ?? unnamed.shift();
    return { before: partner, after: item };
  });
  return [...pairs, ...unnamed.map((item) => ({ before: item, after: undefined }))];
}

function nameOf(item: JsonValue): string | undefined {
  return isObject(item) && typeof item["name"] === "string" ? item["name"] : undefined;
}

/** Of the same type of message, or one of them not there at all. */
function isAlike(before: JsonValue | undefined, after: JsonValue | undefined): boolean {
  if (before === undefined || after === undefined) return true;
  return isObject(before) && isObject(after) && before["@type"] === after["@type"];
}

function messageOf(value: JsonObject): string | undefined {
  const type = value["@type"];
  return typeof type === "string" ? type.split(".").at(-1) : undefined;
}

// Keys of maps are names that users or other messages gave.
function named(key: string): string {
  return /^[a-z][A-Za-z0-9]*$/.test(key) ? key : "*";
}

function at(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return isObject(value) ? value[key] : undefined;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
