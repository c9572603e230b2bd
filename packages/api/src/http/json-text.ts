import { endOfString, isKey } from "@heddle/model/json.ts";

/** How deep objects and lists may nest. Real resources stay under 20. */
export const DEEPEST = 64;
/** How many keys one object may have. The largest real objects are label sets. */
export const MOST_KEYS = 1_000;
/** How many items one list may have. */
export const MOST_ITEMS = 5_000;
// How many values a body may have: what validating costs grows with them, not with the length of the text.
const MOST_VALUES = 50_000;

/**
 * What JSON.parse would take without a word and yet is no honest document: nesting so deep that later code would run
 * out of stack, a key that stands twice (the last would win silently), the key __proto__, objects with keys by the
 * thousand, lists without end. One pass over the text; whether it is JSON at all is for JSON.parse to say.
 */
export function inspectJsonText(text: string): string | undefined {
  const open: Open[] = [];
  let values = 0;
  let index = 0;
  while (index < text.length) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) {
      const end = endOfString(text, index);
      const keys = open.at(-1)?.keys;
      const trouble = keys !== undefined && isKey(text, end) ? addKey(keys, text.slice(index, end)) : undefined;
      if (trouble !== undefined) return trouble;
      index = end;
      continue;
    }
    if (code === OPEN_OBJECT || code === OPEN_LIST)
      open.push(code === OPEN_OBJECT ? { keys: new Set() } : { items: 1 });
    else if (code === CLOSE_OBJECT || code === CLOSE_LIST) open.pop();
    else if (code === COMMA) {
      values += 1;
      const trouble = addItem(open.at(-1));
      if (trouble !== undefined) return trouble;
    }
    if (open.length > DEEPEST) return tooDeep();
    if (values > MOST_VALUES) return `it has more than ${MOST_VALUES} values; send less at a time`;
    index += 1;
  }
  return undefined;
}

/** What is open at a place of the text: an object with the keys seen so far, or a list with a count of its items. */
type Open = { readonly keys: Set<string>; readonly items?: undefined } | { readonly keys?: undefined; items: number };

function addItem(inside: Open | undefined): string | undefined {
  if (inside?.items === undefined) return undefined;
  inside.items += 1;
  return inside.items > MOST_ITEMS ? `one of its lists has more than ${MOST_ITEMS} items` : undefined;
}

/** Why a key may not join the keys of an object, or undefined when it may. */
export function troubleWithKey(keys: ReadonlySet<string>, key: string): string | undefined {
  // Copying such a key with `target[key] = value` would change the prototype of the target.
  if (key === "__proto__") return `the key "__proto__" is refused`;
  // Nothing has such a key, and what is stored could be misread: JSON has to escape it (see parseJson()).
  if (UNUSUAL.test(key))
    return `the key ${JSON.stringify(key.slice(0, 100))} has a quote, a backslash or a control character`;
  if (keys.has(key)) return `the key ${JSON.stringify(key.slice(0, 100))} stands twice in one object`;
  if (keys.size >= MOST_KEYS) return `one of its objects has more than ${MOST_KEYS} keys`;
  return undefined;
}

// oxlint-disable-next-line no-control-regex -- what is refused
const UNUSUAL = /["\\\u0000-\u001f]/;

/** What is wrong with a document that nests too deep. */
export function tooDeep(): string {
  return `it nests deeper than ${DEEPEST} levels`;
}

const QUOTE = 34;
const COMMA = 44;
const OPEN_LIST = 91;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

function addKey(keys: Set<string>, quoted: string): string | undefined {
  const key = quoted.includes("\\") ? unescaped(quoted) : quoted.slice(1, -1);
  const trouble = troubleWithKey(keys, key);
  keys.add(key);
  return trouble;
}

function unescaped(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    // A broken escape: JSON.parse of the whole text will say so.
    return quoted;
  }
}
