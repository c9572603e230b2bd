import { isDeepStrictEqual } from "node:util";
import { createPatch, type Operation } from "rfc6902";

/** Lists with more pairs of items than this are replaced as a whole: comparing each with each would hold everybody up. */
const MOST_PAIRS = 2_500;

/** The JSON Patch (RFC 6902) that turns one value into the other; empty when they are the same. */
export function jsonPatch(before: unknown, after: unknown): readonly Operation[] {
  return createPatch(before, after, (a: unknown, b: unknown, pointer): Operation[] | undefined => {
    if (!Array.isArray(a) || !Array.isArray(b)) return undefined;
    if (isDeepStrictEqual(a, b)) return [];
    const isLong = a.length * b.length > MOST_PAIRS;
    return isLong ? [{ op: "replace", path: pointer.toString(), value: b }] : undefined;
  });
}
