/** Any JSON, as Envoy prints its configuration. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

/** An object of it. */
export interface JsonObject {
  readonly [key: string]: Json;
}

/** A document in which every object, from the innermost outwards, is replaced by what `change` makes of it, or left out. */
export function rewrite(json: Json, change: (object: JsonObject) => JsonObject | undefined): Json {
  return rewritten(json, change) ?? {};
}

function rewritten(json: Json, change: (object: JsonObject) => JsonObject | undefined): Json | undefined {
  if (isList(json)) return json.map((each) => rewritten(each, change)).filter((each) => each !== undefined);
  if (json === null || typeof json !== "object") return json;
  const entries = Object.entries(json).map(([key, value]) => [key, rewritten(value, change)] as const);
  return change(Object.fromEntries(entries.filter((entry): entry is [string, Json] => entry[1] !== undefined)));
}

/** The objects of a list; none of anything else. */
export function list(json: Json | undefined): readonly JsonObject[] {
  return json !== undefined && isList(json) ? json.map(object) : [];
}

/** What is an object; an empty one of anything else. */
export function object(json: Json | undefined): JsonObject {
  return json === undefined || json === null || typeof json !== "object" || isList(json) ? {} : json;
}

/** What is a string; the empty one of anything else. */
export function string(json: Json | undefined): string {
  return typeof json === "string" ? json : "";
}

// Array.isArray() does not know lists that must not be changed.
function isList(json: Json): json is readonly Json[] {
  return Array.isArray(json);
}
