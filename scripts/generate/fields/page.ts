import { existsSync, readFileSync } from "node:fs";
import type { Policy } from "@heddle/engine/policy.ts";
import { parse } from "yaml";
import type { GeneratedFile } from "../generated-files.ts";
import { effectsIn } from "./effects.ts";
import { gapsIn, type Reasons, type Row, rowsOf } from "./rows.ts";
import { fieldsOf } from "./schema-fields.ts";

/** A policy and the folder it is in. */
export interface Located {
  readonly folder: string;
  readonly policy: Policy;
}

const INTRODUCTION = `<!-- Written by \`npm run generate\` from packages/policies: the schemas and the golden cases there. -->

# Every field, what it becomes in Envoy, and the test that shows it

This page is measured, not written: every golden case of a policy is compiled again with one field at a time set to something
else, and what then differs in Envoy's configuration is what stands in the second column. A field that no case shows makes
\`npm run check\` fail. A path begins with the message of Envoy's API that the field belongs to; \`*\` is any key of a map.

Cases are in \`packages/policies/<policy>/cases\`: what a user writes, and beside it what Envoy gets. A real Envoy is given
every one of them. Fields under \`rules[]\` are the same under \`from[]\`, where a policy still has that of Kuma 2.x. What
references (\`targetRef\`) may point at is on [each policy's page](policies.md).
`;

/** docs/guide/policy-fields.md: every field of every policy, with what its cases show. */
export function fieldsPage(all: readonly Located[]): GeneratedFile {
  const policies = all.map(({ policy }) => policy);
  const sections = all.map(({ folder, policy }) => {
    const reasons = reasonsIn(folder);
    const effects = effectsIn(`packages/policies/${folder}/cases`, policy, policies);
    const rows = rowsOf(fieldsOf(policy.kind.schema), effects, reasons);
    return { text: section(folder, policy, rows), gaps: gapsIn(folder, rows, reasons) };
  });
  const content = [INTRODUCTION, ...sections.map(({ text }) => text)].join("\n");
  return { path: "docs/guide/policy-fields.md", content, gaps: sections.flatMap(({ gaps }) => gaps) };
}

function reasonsIn(folder: string): Reasons {
  const path = `packages/policies/${folder}/no-effect.yaml`;
  return existsSync(path) ? (parse(readFileSync(path, "utf8")) as Reasons) : {};
}

function section(folder: string, { kind }: Policy, rows: readonly Row[]): string {
  const lines = rows.map((row) => `| ${[fieldCell(row), envoyCell(row), casesCell(row)].join(" | ")} |\n`);
  return `## ${kind.type}

${testsOf(folder)}

| field | in Envoy | shown by |
| --- | --- | --- |
${lines.join("")}`;
}

function testsOf(folder: string): string {
  const path = `../../packages/policies/${folder}`;
  const hasBehaviour = existsSync(`packages/policies/${folder}/behaviour.test.ts`);
  const behaviour = hasBehaviour ? ` What requests get then: [behaviour.test.ts](${path}/behaviour.test.ts).` : "";
  return `[Cases](${path}/cases).${behaviour}`;
}

function fieldCell({ field, word }: Row): string {
  return word === undefined ? `\`${field}\`` : `– \`${word}\``;
}

function envoyCell({ paths, reason }: Row): string {
  if (paths.length === 0) return reason ?? "";
  const short = [...new Set(gathered(paths.map(shortened)))];
  return short.map((path) => `\`${path}\``).join("<br>");
}

function casesCell({ cases }: Row): string {
  return cases.slice(0, 2).join(", ");
}

const WHOLE: readonly (readonly [RegExp, string])[] = [
  [/^.*\.virtualHosts\[\]\.routes\[\]/, "Route"],
  [/^.*\.virtualHosts\[\]/, "VirtualHost"],
  [/^Listener\.filterChains\[\]/, "FilterChain"],
];

function shortened(path: string): string {
  const known = WHOLE.find(([start]) => start.test(path));
  return known === undefined ? path : path.replace(known[0], known[1]);
}

/** Many fields of one message are told by what their paths have in common. */
function gathered(paths: readonly string[]): readonly string[] {
  if (paths.length <= 4) return paths;
  const groups = [...Map.groupBy(paths, (path) => path.split(".")[0]).values()];
  return groups.map((group) => (group.length <= 2 && groups.length <= 3 ? group : [common(group)])).flat();
}

function common(paths: readonly string[]): string {
  const [first = "", ...others] = paths;
  const steps = first.split(".");
  const count = steps.findIndex((step, index) => others.some((other) => other.split(".")[index] !== step));
  return (count <= 0 ? steps : steps.slice(0, count)).join(".");
}
