import { type Document, isScalar, LineCounter, parseDocument, visit } from "yaml";
import { whyTooMuchYaml } from "@heddle/model/yaml-limits.ts";
import { ApiError } from "./api-error.ts";
import { DEEPEST, tooDeep, troubleWithKey } from "./json-text.ts";

// Reading YAML takes a hundred times as long as reading JSON.
const MOST_CHARACTERS = 65_536;

/** Reads a body of one YAML document; none when it is empty. Throws ApiError 400 with line and column of the mistake, 413 when it is too long. */
export function readYaml(text: string): unknown {
  if (text.length > MOST_CHARACTERS) {
    const most = `${MOST_CHARACTERS / 1_024} KiB`;
    throw new ApiError(413, `Cannot read the body as YAML: it is longer than ${most}; send it as application/json`);
  }
  if (text.trim() === "") return undefined;
  const tooMuch = whyTooMuchYaml(text);
  if (tooMuch !== undefined) throw unreadable(tooMuch);
  const lines = new LineCounter();
  // The core schema knows JSON's types only: no dates, no binary, no types of a language. The library's own search for
  // repeated keys takes time that grows with their square, and so do its pretty messages.
  const document = parseDocument(text, {
    schema: "core",
    uniqueKeys: false,
    merge: false,
    prettyErrors: false,
    lineCounter: lines,
    logLevel: "error",
  });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw unreadable(`${error.message} at line ${line}, column ${col}`, error);
  }
  return valueOf(document);
}

function valueOf(document: Document): unknown {
  const repeated = troubleWithKeys(document);
  if (repeated !== undefined) throw unreadable(repeated);
  const value = withoutBombs(document);
  const trouble = troubleWithValue(value);
  if (trouble !== undefined) throw unreadable(trouble);
  return value;
}

function troubleWithKeys(document: Document): string | undefined {
  let trouble: string | undefined;
  visit(document, {
    Map(_key, map) {
      const keys = new Set<string>();
      for (const { key } of map.items) {
        const name = isScalar(key) ? String(key.value) : String(key);
        trouble ??= troubleWithKey(keys, name);
        keys.add(name);
      }
      return trouble === undefined ? undefined : visit.BREAK;
    },
  });
  return trouble;
}

function withoutBombs(document: Document): unknown {
  try {
    // Counts what aliases would expand to, and throws before a small text becomes gigabytes.
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw unreadable(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function troubleWithValue(root: unknown): string | undefined {
  const waiting = [{ value: root, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, depth } = next;
    if (typeof value === "number" && !Number.isFinite(value)) return "numbers must be finite";
    if (typeof value !== "object" || value === null) continue;
    if (depth >= DEEPEST) return tooDeep();
    for (const inner of Object.values(value)) waiting.push({ value: inner, depth: depth + 1 });
  }
  return undefined;
}

function unreadable(reason: string, cause?: unknown): ApiError {
  return new ApiError(400, `Cannot read the body as YAML: ${reason}`, { cause });
}
