import type { Api } from "./api/api.ts";
import { followRollout, type Rollout } from "./api/rollout.ts";
import type { Written } from "./api/write.ts";
import { Interrupted } from "./cli-error.ts";
import type { Cli } from "./cli.ts";
import { renderProgress } from "./output/render-rollout.ts";

export interface RolloutWait {
  /** Milliseconds. */
  readonly timeout: number;
  /** When the first write was sent, by performance.now(): what is told counts from there, not from the first question. */
  readonly since: number;
}

/** Waits until the proxies took the writes, with a live line on a terminal. Undefined: nothing was written, or nothing is told. */
export async function awaitRollout(
  api: Api,
  cli: Cli,
  written: readonly Written[],
  { timeout, since }: RolloutWait,
): Promise<Rollout | undefined> {
  const revisions = written.flatMap(({ revision }) => (revision === undefined ? [] : [revision]));
  if (revisions.length === 0) return undefined;
  const wish = { first: Math.min(...revisions), last: Math.max(...revisions), timeoutMillis: timeout };
  const spinner = cli.terminal.spinner("Waiting for the proxies");
  try {
    const rollout = await followRollout(api, wish, (progress) => spinner.update(renderProgress(progress)));
    return rollout && { ...rollout, elapsedMillis: Math.round(performance.now() - since) };
  } catch (error) {
    if (!cli.signal.aborted) throw error;
    throw new Interrupted("Stopped waiting; what is written stays written and goes on to the proxies", {
      next: ["See how far it came: heddle inspect dataplanes"],
    });
  } finally {
    spinner.stop();
  }
}

/** Whether proxies refused the writes, or did not answer in time. */
export function hasFailed(rollout: Rollout | undefined): boolean {
  if (rollout === undefined) return false;
  return rollout.rejected.length > 0 || (rollout.held ?? []).length > 0 || rollout.state !== "done";
}
