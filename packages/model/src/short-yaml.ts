import { LineCounter, parseDocument } from "yaml";
import { whyTooMuchYaml } from "./yaml-limits.ts";

// Far more than what is written within a field, and little enough to be read while others wait.
const MOST_CHARACTERS = 65_536;
const MOST_TOKENS = 5_000;

/** What a text says, or why it cannot be read. */
export type ShortYaml =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly reason: string };

/** Reads YAML that stands in a field of a resource, in a time that does not keep others waiting. */
export function readShortYaml(text: string): ShortYaml {
  const tooMuch = text.length > MOST_CHARACTERS ? `it is longer than ${MOST_CHARACTERS / 1_024} KiB` : undefined;
  const reason = tooMuch ?? whyTooMuchYaml(text, { mostTokens: MOST_TOKENS, advice: "" });
  return reason === undefined ? read(text) : { ok: false, reason };
}

function read(text: string): ShortYaml {
  const lines = new LineCounter();
  try {
    // The library's own messages look through the text for each mistake: a few thousand braces took 0.1 s.
    const document = parseDocument(text, {
      schema: "core",
      prettyErrors: false,
      lineCounter: lines,
      logLevel: "error",
    });
    const [error] = document.errors;
    if (error !== undefined) {
      const { line, col } = lines.linePos(error.pos[0]);
      return { ok: false, reason: `${error.message} at line ${line}, column ${col}` };
    }
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    // A list that holds itself is YAML, and nothing that could be looked through.
    JSON.stringify(value);
    return { ok: true, value };
  } catch (cause) {
    return { ok: false, reason: cause instanceof Error ? cause.message : String(cause) };
  }
}
