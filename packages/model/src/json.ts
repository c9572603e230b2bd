import { parse } from "lossless-json";

/**
 * Reads JSON that a stranger wrote: what `JSON.parse` gives and refuses, with keys as they are spelled. V8 may take an
 * escaped key for another of an earlier text, as `"a\u0062"` for `a\` once there was such a key
 * (https://github.com/nodejs/node/issues/63785), so whoever sends a document would decide what a later one says. Texts
 * with escaped keys are rare and read by a library, about five times as slowly. Throws a SyntaxError.
 */
export function parseJson(text: string): unknown {
  if (!hasEscapedKey(text)) return JSON.parse(text);
  return parse(text, null, { parseNumber: Number, onDuplicateKey: ({ newValue }) => newValue });
}

/** The index after the closing quote of a string that begins at the index, or the end of the text when there is none. */
export function endOfString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === BACKSLASH) index += 1;
    else if (code === QUOTE) return index + 1;
  }
  return text.length;
}

/** Whether a string that ends before the index is the key of an object. */
export function isKey(text: string, end: number): boolean {
  let index = end;
  while (SPACES.has(text.charCodeAt(index))) index += 1;
  return text.charCodeAt(index) === COLON;
}

const QUOTE = 34;
const COLON = 58;
const BACKSLASH = 92;
const SPACES: ReadonlySet<number> = new Set([32, 9, 10, 13]);

// A backslash is nowhere but in a string; from there on to the end of the string nothing has to be looked at twice.
function hasEscapedKey(text: string): boolean {
  for (let index = text.indexOf("\\"); index >= 0;) {
    const end = endOfString(text, index - 1);
    if (isKey(text, end)) return true;
    index = text.indexOf("\\", end);
  }
  return false;
}
