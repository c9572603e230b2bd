import assert from "node:assert/strict";
import { LaunchError } from "../launch-error.ts";
import { type Flags, resolveOptions } from "../options/resolve-options.ts";
import { runDataplane } from "../run-dataplane.ts";

/** What a launch that does not reach Envoy did. */
export interface Launched {
  readonly code: number;
  readonly printed: string;
  readonly notes: readonly string[];
}

/** Runs the launcher in this process; fit for everything up to the start of Envoy. */
export async function launch(
  flags: Flags,
  env: NodeJS.ProcessEnv = {},
  signal = new AbortController().signal,
): Promise<Launched> {
  const notes: string[] = [];
  let printed = "";
  const options = resolveOptions(flags, env);
  assert.ok(options.ok, JSON.stringify(options));
  const code = await runDataplane(options.value, {
    signal,
    env: { ...process.env, ...env },
    print: (text) => (printed += text),
    note: (line) => notes.push(line),
  });
  return { code, printed, notes };
}

/** The error of a launch that must fail. */
export async function failure(flags: Flags, env?: NodeJS.ProcessEnv): Promise<LaunchError> {
  const outcome = await launch(flags, env).catch((error: unknown) => error);
  assert.ok(outcome instanceof LaunchError, `not a LaunchError: ${String(outcome)}`);
  return outcome;
}
