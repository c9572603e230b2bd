import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { anySpec } from "@heddle/engine/testkit/any-spec.ts";
import { policies } from "@heddle/policies/index.ts";
import fc from "fast-check";
import { parseAllDocuments } from "yaml";

const ROOT = join(import.meta.dirname, "../..");

/** What users write: the texts of all cases of this repository. */
export function caseTexts(): readonly string[] {
  return globSync("packages/**/cases/**/*.yaml", { cwd: ROOT, exclude: ["**/node_modules/**", "**/*.golden.yaml"] })
    .toSorted()
    .map((file) => readFileSync(join(ROOT, file), "utf8"));
}

/** Their documents, and some of every kind of policy that its schema makes possible; made up once for a seed. */
export function documents(seed: number): readonly unknown[] {
  const known = made.get(seed) ?? makeDocuments(seed);
  made.set(seed, known);
  return known;
}

const made = new Map<number, readonly unknown[]>();

function makeDocuments(seed: number): readonly unknown[] {
  const written = caseTexts().flatMap((text) =>
    parseAllDocuments(text).flatMap((document) => (document.errors.length > 0 ? [] : [document.toJS() as unknown])),
  );
  const madeUp = policies.flatMap(({ kind }) =>
    fc
      .sample(anySpec(kind), { seed, numRuns: 6 })
      .map((spec) => ({ type: kind.type, mesh: "default", name: "x", spec })),
  );
  return [...written, ...(JSON.parse(JSON.stringify(madeUp)) as unknown[])];
}

/** Values of any form, by fast-check. */
export function anyValues(seed: number): readonly unknown[] {
  return fc.sample(
    fc.oneof(
      fc.json({ maxDepth: 4 }).map((text) => JSON.parse(text) as unknown),
      // Made of numbers: fast-check's own strings of any character take seconds to set up.
      fc.array(fc.nat({ max: 0x10_ff_ff })).map((points) => String.fromCodePoint(...points)),
    ),
    {
      seed,
      numRuns: 200,
    },
  );
}
