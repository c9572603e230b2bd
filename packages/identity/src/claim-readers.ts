/**
 * Readers for the claims of a token, which are JSON that somebody else may have written. Go writes an empty list or map
 * as null, so null means empty. Each reader throws ClaimError with the claim's name.
 */

/** A claim that is not what its kind of token has there. The message is for the user and quotes no value. */
export class ClaimError extends Error {
  override readonly name = "ClaimError";
}

export type Payload = Readonly<Record<string, unknown>>;

/** Reads a claim that is a text; an absent one is empty. Throws ClaimError. */
export function readText(payload: Payload, claim: string): string {
  const value = payload[claim] ?? "";
  if (typeof value !== "string") throw new ClaimError(`its claim "${claim}" must be a text`);
  return value;
}

/** Reads a claim that is a list of texts; an absent one is empty. Throws ClaimError. */
export function readTexts(payload: Payload, claim: string): readonly string[] {
  const value = payload[claim] ?? [];
  if (!isTexts(value)) throw new ClaimError(`its claim "${claim}" must be a list of texts`);
  return value;
}

/** Reads a claim of lists of texts by name; an absent one is empty. Throws ClaimError. */
export function readTextLists(payload: Payload, claim: string): Readonly<Record<string, readonly string[]>> {
  const value = payload[claim] ?? {};
  const entries = typeof value === "object" && !Array.isArray(value) ? Object.entries(value) : undefined;
  if (entries === undefined || !entries.every(isTextList)) {
    throw new ClaimError(`its claim "${claim}" must map each tag to a list of allowed values`);
  }
  return Object.fromEntries(entries);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function isTextList(entry: readonly [string, unknown]): entry is [string, readonly string[]] {
  return isTexts(entry[1]);
}
