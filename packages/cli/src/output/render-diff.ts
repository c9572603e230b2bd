import { structuredPatch } from "diff";
import { stringify } from "yaml";
import { record, type Json } from "../json.ts";
import type { Paint } from "./paint.ts";

// What the control plane adds to a document: nobody writes it, so it is no difference.
const ADDED_FIELDS = ["creationTime", "modificationTime", "kri", "status"];
const OWNED_LABEL = /^(k8s\.)?kuma\.io\/|^heddle\.io\//;
const CONTEXT_LINES = 3;

/** The lines in which a stored document and a written one differ, as a unified diff; empty when they say the same. */
export function renderDiff(title: string, before: Json | undefined, after: Json, paint: Paint): string {
  const [old, next] = [yamlOf(before === undefined ? undefined : withoutOwned(before, after)), yamlOf(after)];
  const patch = structuredPatch(title, title, old, next, "", "", { context: CONTEXT_LINES });
  if (patch.hunks.length === 0) return "";
  const lines = patch.hunks.flatMap((hunk) => hunk.lines.map((line) => paintLine(line, paint)));
  return [paint("bold", title), ...lines].join("\n");
}

function paintLine(line: string, paint: Paint): string {
  if (line.startsWith("+")) return paint("green", line);
  return line.startsWith("-") ? paint("red", line) : line;
}

// Labels that the control plane computes come back after every write, so that leaving them out removes nothing.
function withoutOwned(before: Json, after: Json): Json {
  const written = record(after["labels"]);
  const kept = Object.entries(record(before["labels"])).filter(([key]) => key in written || !OWNED_LABEL.test(key));
  const { labels: _labels, ...rest } = before;
  return kept.length === 0 ? rest : { ...rest, labels: Object.fromEntries(kept) };
}

// Keys sorted: a document written in another order is the same document.
function yamlOf(document: Json | undefined): string {
  if (document === undefined) return "";
  const written = Object.entries(document).filter(([key]) => !ADDED_FIELDS.includes(key));
  return stringify(Object.fromEntries(written), { sortMapEntries: true, lineWidth: 0 });
}
