// npm run check: whatever can be said about the sources without running them. `npm run check -- types lint` runs some.
import { filesMatching, packageSources } from "./checks/source-files.ts";
import { checkImports, IMPORT_EXAMPLE } from "./checks/imports.ts";
import { checkNamedTests, NAMED_TEST_EXAMPLE } from "./checks/named-tests.ts";
import { checkPlaces } from "./checks/places.ts";
import { checkSentences, SENTENCE_EXAMPLE } from "./checks/sentences.ts";
import { checkGenerated } from "./generate/generated-files.ts";
import { runTool } from "./checks/run-tool.ts";

interface Check {
  readonly name: string;
  /** What is wrong, a line each; none when all is well. */
  readonly run: () => Promise<readonly string[]> | readonly string[];
  /** What to do, or the example to follow. */
  readonly hint: string;
}

const CHECKS: readonly Check[] = [
  { name: "format", run: () => runTool("oxfmt", ["--list-different", "."]), hint: "npm run format" },
  { name: "types", run: () => runTool("tsc", ["-p", ".", "--noEmit"]), hint: "tsconfig.json says how strict" },
  {
    name: "lint",
    run: () => runTool("oxlint", ["--type-aware", "--format=unix"]),
    hint: ".oxlintrc.json gives the reason of each rule",
  },
  { name: "imports", run: () => checkImports(packageSources()), hint: IMPORT_EXAMPLE },
  { name: "sentences", run: () => checkSentences(packageSources()), hint: SENTENCE_EXAMPLE },
  { name: "places", run: () => checkPlaces(writings()), hint: "what is published reads the same on every machine" },
  { name: "tests", run: () => checkNamedTests(filesMatching(["docs/**/*.md"]), testFiles()), hint: NAMED_TEST_EXAMPLE },
  { name: "generated", run: checkGenerated, hint: "npm run generate" },
];

function writings() {
  return filesMatching(["*.md", "{docs,demo,packages,test,bench,scripts}/**/*.{md,yaml,yml}", "package-lock.json"]);
}

function testFiles() {
  return filesMatching(["{packages,test,scripts}/**/*.test.ts"]);
}

async function check({ name, run, hint }: Check): Promise<boolean> {
  const started = performance.now();
  const findings = await run();
  const time = `${((performance.now() - started) / 1_000).toFixed(1)} s`;
  console.log(`${findings.length === 0 ? "✔" : "✖"} ${name.padEnd(10)} ${time}`);
  if (findings.length > 0) console.log(`${findings.map((line) => `    ${line}`).join("\n")}\n    → ${hint}`);
  return findings.length === 0;
}

const wanted = process.argv.slice(2);
let isGood = true;
for (const one of CHECKS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  isGood = (await check(one)) && isGood;
}
process.exitCode = isGood ? 0 : 1;
