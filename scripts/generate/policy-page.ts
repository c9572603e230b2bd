import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { Policy } from "@heddle/engine/policy.ts";
import { z } from "zod";
import { fieldTable } from "./field-table.ts";
import type { GeneratedFile } from "./generated-files.ts";
import { constantOf } from "./policy-index.ts";

/** The guide's page of one policy: what its folder's docs.md says, then a table of every field in its schema. */
export async function policyPage(folder: string): Promise<GeneratedFile> {
  const { kind } = await loadPolicy(folder);
  const text = readFileSync(`packages/policies/${folder}/docs.md`, "utf8").trim();
  // What cannot be said in JSON Schema, such as a refinement, is left to the field's description.
  const schema = z.toJSONSchema(kind.schema, { io: "input", unrepresentable: "any" });
  const content = `<!-- Written by \`npm run generate\` from packages/policies/${folder}: edit docs.md and schema.ts there. -->

${text}

## Where it may point

${targetTable(kind.policy)}
## Fields of ${kind.type}

${fieldTable(schema)}`;
  return { path: `docs/guide/policies/${folder}.md`, content };
}

function targetTable({ targets, to, from }: Policy["kind"]["policy"]): string {
  const places = [
    ["targetRef", targets],
    ["to[].targetRef", to],
    ["from[].targetRef", from],
  ] as const;
  const rows = places.filter(([, kinds]) => kinds.length > 0);
  return `| reference | kinds |\n| --- | --- |\n${rows.map(([name, kinds]) => `| \`${name}\` | ${kinds.join(", ")} |\n`).join("")}`;
}

/** The policy that a folder holds. */
export async function loadPolicy(folder: string): Promise<Policy> {
  const path = `packages/policies/${folder}/policy.ts`;
  const constant = constantOf(folder);
  const module = (await import(pathToFileURL(path).href)) as Readonly<Record<string, Policy>>;
  const policy = module[constant];
  if (policy === undefined) throw new Error(`Cannot read "${path}": it exports no constant ${constant}`);
  return policy;
}
