import { globSync } from "node:fs";
import { addCounts, closingLines, NOTHING } from "./counts.ts";
import { type FileResult, runFile } from "./run-file.ts";

/** Two cores, and real Envoys in many of the tests. */
const AT_ONCE = 2;
const LIMIT_SECONDS = 240;

/**
 * Runs test files, two at a time, with a line for each and the closing lines of node:test at the end.
 * Returns the exit code: 0 when every test passed.
 */
export async function runTests(patterns: readonly string[], nodeOptions: readonly string[] = []): Promise<number> {
  const started = performance.now();
  const paths = globSync([...patterns], { exclude: (path) => path.endsWith("node_modules") });
  if (paths.length === 0) {
    console.error(`Cannot test "${patterns.join(" ")}": no test file is named like that`);
    return 1;
  }
  const results = await runAll(paths.toSorted(slowestFirst), nodeOptions);
  printFailures(results);
  const counts = results.map((result) => result.counts).reduce(addCounts, NOTHING);
  console.log(`\n${closingLines(counts, (performance.now() - started) / 1_000)}`);
  return results.length === paths.length && results.every(({ ok }) => ok) ? 0 : 1;
}

/** End-to-end tests take longest; begun first, they do not keep the last core waiting. */
function slowestFirst(a: string, b: string): number {
  return Number(b.startsWith("test/")) - Number(a.startsWith("test/")) || (a < b ? -1 : 1);
}

async function runAll(paths: readonly string[], nodeOptions: readonly string[]): Promise<readonly FileResult[]> {
  const stopper = stopOnSignals();
  const options = { limitSeconds: LIMIT_SECONDS, nodeOptions, signal: stopper.signal };
  const waiting = paths.values();
  const results: FileResult[] = [];
  const worker = async () => {
    // The workers share one iterator: whoever is free takes the next file.
    for (const path of waiting) {
      if (stopper.signal.aborted) return;
      const result = await runFile(path, options);
      results.push(result);
      console.log(summary(result));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

function stopOnSignals(): AbortController {
  const stopper = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(name, () => stopper.abort());
  return stopper;
}

function summary({ path, counts, ok, seconds }: FileResult): string {
  const time = `${seconds.toFixed(1)} s`;
  return `${ok ? "✔" : "✖"} ${path.padEnd(70)} ${String(counts.tests).padStart(4)} tests ${time.padStart(8)}`;
}

function printFailures(results: readonly FileResult[]): void {
  for (const { path, output } of results.filter(({ ok }) => !ok)) console.log(`\n✖ ${path}\n\n${output}`);
}
