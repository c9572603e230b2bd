/**
 * `npm run fuzz -- --target yaml-body --inputs 100000 --seed 7 --seconds 60`: gives everything that parses inputs that
 * nobody would write, and reports what none of them may do. Without --target all targets take their turns, each in a
 * process of its own, and share the inputs; --jobs 4 lets four run at a time, with the same inputs. --replay FILE gives
 * one input to one target again.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { describeReport } from "./report.ts";
import { runTarget } from "./run-target.ts";
import type { TargetPlan } from "./target.ts";
import { TARGETS } from "./targets.ts";

const { values } = parseArgs({
  options: {
    target: { type: "string" },
    inputs: { type: "string", default: "200000" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    seconds: { type: "string" },
    jobs: { type: "string", default: "1" },
    replay: { type: "string" },
  },
});
const inputs = Number(values.inputs);
const seed = Number(values.seed);
const plan = TARGETS.find(({ name }) => name === values.target);

if (values.target === undefined) await runAll();
else if (plan === undefined)
  fail(`Cannot fuzz "${values.target}": the targets are ${TARGETS.map(({ name }) => name).join(", ")}`);
else process.exitCode = await runOne(plan);

/** Each in a process of its own, so that one that crashes leaves the others alone. */
async function runAll(): Promise<void> {
  console.log(`seed ${seed}, ${inputs} inputs in all`);
  const sum = TARGETS.reduce((total, { share }) => total + share, 0);
  const waiting = TARGETS.values();
  const work = async (): Promise<void> => {
    // All workers take from the same iterator.
    for (const { name, share } of waiting) await runApart(name, Math.ceil((inputs * share) / sum));
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, work));
}

async function runApart(name: string, its: number): Promise<void> {
  const more = values.seconds === undefined ? [] : ["--seconds", values.seconds];
  const args = [import.meta.filename, "--target", name, "--inputs", String(its), "--seed", String(seed), ...more];
  const child = spawn(process.execPath, args, { stdio: "inherit" });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) process.exitCode = 1;
}

async function runOne({ open }: TargetPlan): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const target = await open(stack);
  if (values.replay !== undefined) {
    await target.run(readFileSync(values.replay));
    console.log(`${target.name}: nothing wrong with ${values.replay}`);
    return 0;
  }
  const seconds = values.seconds === undefined ? {} : { seconds: Number(values.seconds) };
  const report = await runTarget(target, { seed, inputs, ...seconds, watchMemory: true });
  console.log(describeReport(target.name, report));
  if (report.findings.length === 0) return 0;
  const folder = mkdtempSync(join(tmpdir(), "heddle-fuzz-"));
  for (const [index, { what, input }] of report.findings.entries()) {
    const file = join(folder, `${target.name}-${index}`);
    writeFileSync(file, input);
    console.log(`  ${what}\n    input: ${JSON.stringify(Buffer.from(input.subarray(0, 200)).toString("latin1"))}`);
    console.log(`    again: npm run fuzz -- --target ${target.name} --replay ${file}`);
  }
  return 1;
}

function fail(message: string): void {
  console.error(message);
  process.exitCode = 2;
}
