import { runTarget } from "./run-target.ts";
import type { TargetPlan } from "./target.ts";

/** The same each time, so that a failure is somebody's doing; another with HEDDLE_FUZZ_SEED. */
export const SEED = Number(process.env["HEDDLE_FUZZ_SEED"] ?? 1);
/** For each target; HEDDLE_FUZZ_INPUTS=100000 looks for longer. */
const INPUTS = Number(process.env["HEDDLE_FUZZ_INPUTS"] ?? 2_000);
const SECONDS = process.env["HEDDLE_FUZZ_INPUTS"] === undefined ? 0.3 : Infinity;

/** What some thousand inputs of a target brought to light, as texts; none when all is well. */
export async function boundedRun(plan: TargetPlan): Promise<readonly string[]> {
  await using stack = new AsyncDisposableStack();
  const target = await plan.open(stack);
  const { findings } = await runTarget(target, { seed: SEED, inputs: INPUTS, seconds: SECONDS, patience: 4 });
  return findings.map(
    ({ what, input }) => `${what} for ${JSON.stringify(Buffer.from(input).toString("latin1").slice(0, 300))}`,
  );
}
