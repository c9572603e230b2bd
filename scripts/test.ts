// npm test: the checks, then all tests. `npm test -- packages/xds` runs only the tests there, and options such as
// --test-name-pattern=sentence go to Node.
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { runTests } from "./test/run-tests.ts";

const ALL = ["packages/*/src", "packages/policies", "test", "scripts"];

const args = process.argv.slice(2);
const nodeOptions = args.filter((arg) => arg.startsWith("-"));
const places = args.filter((arg) => !arg.startsWith("-"));

// The part somebody is working on is run often; what is slow and everywhere else's business waits for the whole.
const checks = places.length === 0 ? spawnSync(process.execPath, ["scripts/check.ts"], { stdio: "inherit" }).status : 0;
const tests = await runTests((places.length === 0 ? ALL : places).map(patternOf), nodeOptions);
if (checks !== 0) console.log("# checks failed: see the top of this output, or run: npm run check");
process.exitCode = checks === 0 ? tests : 1;

function patternOf(place: string): string {
  const isFile = statSync(place, { throwIfNoEntry: false })?.isFile() === true;
  return isFile ? place : `${place.replace(/\/$/, "")}/**/*.test.ts`;
}
