import { LaunchError } from "../launch-error.ts";
import { type Flags, resolveOptions } from "../options/resolve-options.ts";
import { runDataplane } from "../run-dataplane.ts";

/** The smallest command line over the launcher, for tests: the flags are JSON. */
const flags = JSON.parse(process.argv[2] ?? "{}") as Flags;
const controller = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => controller.abort());
try {
  const options = resolveOptions(flags, process.env);
  if (!options.ok) throw new LaunchError("options", JSON.stringify(options.violations));
  process.exitCode = await runDataplane(options.value, { signal: controller.signal });
} catch (error) {
  if (!(error instanceof LaunchError)) throw error;
  for (const line of [error.message, ...error.details, ...error.next.map((step) => `-> ${step}`)])
    process.stderr.write(`${line}\n`);
  process.exitCode = 1;
}
