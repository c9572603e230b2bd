import { LineCounter, parseAllDocuments, type Document as YamlDocument, type YAMLError } from "yaml";
import { whyTooMuchYaml } from "@heddle/model/yaml-limits.ts";
import { isRecord, text, type Json } from "../json.ts";
import type { Document, Unreadable } from "./document.ts";
import type { Source } from "./source.ts";

/** What a source holds: its documents, and every place that is none. */
export interface Parsed {
  readonly documents: readonly Document[];
  readonly unreadable: readonly Unreadable[];
}

/** Reads the documents of a source, YAML or JSON. A document without a mesh belongs to `mesh`; a list stands for its items. */
export function parseDocuments(source: Source, mesh: string): Parsed {
  const tooMuch = whyTooMuchYaml(source.text, { mostTokens: Infinity });
  if (tooMuch !== undefined) return { documents: [], unreadable: [{ place: source.name, message: tooMuch }] };
  const lines = new LineCounter();
  const parsed = parseAllDocuments(source.text, { lineCounter: lines, prettyErrors: false });
  const all = [...parsed].filter((each) => each.contents !== null || each.errors.length > 0);
  const results = all.map((each, index) => {
    const syntax = each.errors.slice(0, MOST_ERRORS).map((error) => syntaxError(source, lines, error));
    if (syntax.length > 0) return { documents: [], unreadable: syntax };
    const place = placeOf(source, lines, each, all.length > 1 ? index + 1 : undefined);
    const content = valueOf(each);
    return content.ok
      ? readContent(content.value, place, mesh)
      : { documents: [], unreadable: [{ place, message: content.message }] };
  });
  return {
    documents: results.flatMap(({ documents }) => documents),
    unreadable: results.flatMap(({ unreadable }) => unreadable),
  };
}

// Whoever reads one mistake after the other has lost the thread by then, and each costs a look through the text.
const MOST_ERRORS = 10;

type Value = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly message: string };

function valueOf(document: YamlDocument.Parsed): Value {
  try {
    return { ok: true, value: document.toJS() };
  } catch (cause) {
    // Such as an alias of what does not exist, or aliases that unfold without end.
    return { ok: false, message: cause instanceof Error ? cause.message : String(cause) };
  }
}

function readContent(content: unknown, place: string, mesh: string): Parsed {
  if (!isRecord(content))
    return { documents: [], unreadable: [{ place, message: "must be an object with type, name and fields" }] };
  if (content["type"] === undefined && Array.isArray(content["items"])) {
    const items = content["items"].map((item, index) => readContent(item, `${place}, item ${index + 1}`, mesh));
    return { documents: items.flatMap((each) => each.documents), unreadable: items.flatMap((each) => each.unreadable) };
  }
  const message = mistakeIn(content);
  if (message !== undefined) return { documents: [], unreadable: [{ place, message }] };
  const document = {
    place,
    type: String(content["type"]),
    mesh: text(content["mesh"]) ?? mesh,
    name: String(content["name"]),
    content,
  };
  return { documents: [document], unreadable: [] };
}

/** What keeps a document from being sent anywhere; all else is the control plane's to judge. */
function mistakeIn(content: Json): string | undefined {
  if (content["apiVersion"] !== undefined && content["kind"] !== undefined) {
    return "is in Kubernetes form (apiVersion, kind): apply it with kubectl, or write type, mesh and name at the top";
  }
  if (text(content["type"]) === undefined) return "type: must be set to a resource type such as Mesh or MeshTimeout";
  if (text(content["name"]) === undefined) return "name: must be set to a text";
  return undefined;
}

function placeOf(source: Source, lines: LineCounter, document: YamlDocument.Parsed, index: number | undefined): string {
  const { line } = lines.linePos(document.contents?.range[0] ?? document.range[0]);
  return index === undefined ? source.name : `${source.name}:${line}, document ${index}`;
}

function syntaxError(source: Source, lines: LineCounter, error: YAMLError): Unreadable {
  const { line, col } = lines.linePos(error.pos[0]);
  // Looked up, and not by cutting the whole text into lines: ten thousand broken documents took 5 s.
  const [start = 0, end = source.text.length + 1] = lines.lineStarts.slice(line - 1, line + 1);
  const shown = source.text.slice(start, end - 1);
  return {
    place: `${source.name}:${line}:${col}`,
    message: error.message,
    excerpt: `${shown}\n${" ".repeat(Math.max(0, col - 1))}^`,
  };
}
