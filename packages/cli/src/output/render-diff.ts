import { structuredPatch } from "diff";
import { stringify } from "yaml";
import type { Json } from "../json.ts";
import type { Paint } from "./paint.ts";

// What the control plane adds to a document: nobody writes it, so it is no difference.
const ADDED_FIELDS = ["creationTime", "modificationTime", "kri", "status"];
const CONTEXT_LINES = 3;

/** The lines in which a stored document and a written one differ, as a unified diff; empty when they say the same. */
export function renderDiff(title: string, before: Json | undefined, after: Json, paint: Paint): string {
  const patch = structuredPatch(title, title, yamlOf(before), yamlOf(after), "", "", { context: CONTEXT_LINES });
  if (patch.hunks.length === 0) return "";
  const lines = patch.hunks.flatMap((hunk) => hunk.lines.map((line) => paintLine(line, paint)));
  return [paint("bold", title), ...lines].join("\n");
}

function paintLine(line: string, paint: Paint): string {
  if (line.startsWith("+")) return paint("green", line);
  return line.startsWith("-") ? paint("red", line) : line;
}

// Keys sorted: a document written in another order is the same document.
function yamlOf(document: Json | undefined): string {
  if (document === undefined) return "";
  const written = Object.entries(document).filter(([key]) => !ADDED_FIELDS.includes(key));
  return stringify(Object.fromEntries(written), { sortMapEntries: true, lineWidth: 0 });
}
