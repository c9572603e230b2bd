import { CliError } from "../cli-error.ts";
import { inApplyOrder, type Document, type Unreadable } from "./document.ts";
import { readSources, type Source, type SourceOptions } from "./source.ts";
import type { Variables } from "./template.ts";

export interface ReadOptions extends SourceOptions {
  readonly variables: Variables;
  /** For documents that name none. */
  readonly mesh: string;
}

/**
 * The documents of all places in the order in which they are to be applied. When a place cannot be read, the error
 * names each of them, and nothing has been sent yet.
 */
export async function readDocuments(places: readonly string[], options: ReadOptions): Promise<readonly Document[]> {
  const sources: Source[] = [];
  for (const place of places) sources.push(...(await readSources(place, options)));
  const filled = await fillSources(sources, options.variables);
  const { parseDocuments } = await import("./parse-documents.ts");
  const parsed = filled.map((source) => parseDocuments(source, options.mesh));
  const unreadable = parsed.flatMap((each) => each.unreadable);
  if (unreadable.length > 0) throw unreadableError(unreadable);
  const documents = parsed.flatMap((each) => each.documents);
  if (documents.length > 0) return inApplyOrder(documents);
  throw new CliError(
    `Cannot find a resource in ${places.map((place) => (place === "-" ? "standard input" : `"${place}"`)).join(", ")}`,
    {
      next: ["A resource starts with its type and name; see one with: heddle get mesh default -o yaml"],
    },
  );
}

async function fillSources(sources: readonly Source[], variables: Variables): Promise<readonly Source[]> {
  if (!sources.some(({ text }) => text.includes("{{"))) return sources;
  const { fillTemplate } = await import("./template.ts");
  return sources.map((source) => {
    const filled = fillTemplate(source.text, variables);
    if (filled.ok) return { ...source, text: filled.text };
    const names = filled.missing.map((name) => `"${name}"`).join(", ");
    throw new CliError(`Cannot fill in ${source.name}: no value for ${names}; nothing was sent`, {
      next: [`Add ${filled.missing.map((name) => `-v ${name}=VALUE`).join(" ")}`],
    });
  });
}

function unreadableError(unreadable: readonly Unreadable[]): CliError {
  const count = unreadable.length === 1 ? "a document" : `${unreadable.length} places`;
  return new CliError(`Cannot read ${count}; nothing was sent`, {
    details: unreadable.flatMap(({ place, message, excerpt }) => [
      `${place}: ${message}`,
      ...(excerpt === undefined ? [] : excerpt.split("\n").map((line) => `    ${line}`)),
    ]),
  });
}
