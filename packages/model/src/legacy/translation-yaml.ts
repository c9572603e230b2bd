import { stringify } from "yaml";
import type { Presented } from "./present.ts";

/** A translation as YAML that can be applied, under comments that say what it stands for and what it cannot say. */
export function translationYaml(
  written: { readonly type: string; readonly name: string },
  presented: Presented,
): string {
  const title = `${written.type} "${written.name}" of Kuma 2.x in today's kinds`;
  const comments = [title, ...presented.notes].map((line) => `# ${line}\n`).join("");
  const documents = presented.documents.map((document) => stringify(document, { lineWidth: 0 }));
  return `${comments}${documents.join("---\n")}`;
}
