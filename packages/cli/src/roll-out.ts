import type { Api } from "./api/api.ts";
import { followRollout, type Rollout } from "./api/rollout.ts";
import type { Written } from "./api/write.ts";
import { Interrupted } from "./cli-error.ts";
import type { Cli } from "./cli.ts";
import { renderProgress } from "./output/render-rollout.ts";

/** Waits until the proxies took the writes, with a live line on a terminal. Undefined: nothing was written, or nothing is told. */
export async function awaitRollout(
  api: Api,
  cli: Cli,
  written: readonly Written[],
  timeoutMillis: number,
): Promise<Rollout | undefined> {
  const revisions = written.flatMap(({ revision }) => (revision === undefined ? [] : [revision]));
  if (revisions.length === 0) return undefined;
  const wish = { first: Math.min(...revisions), last: Math.max(...revisions), timeoutMillis };
  const spinner = cli.terminal.spinner("Waiting for the proxies");
  try {
    return await followRollout(api, wish, (rollout) => spinner.update(renderProgress(rollout)));
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
  return rollout !== undefined && (rollout.rejected.length > 0 || rollout.state !== "done");
}
