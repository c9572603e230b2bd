import type { Cli } from "../../cli.ts";
import { addExamples, type CliCommand } from "../../command-tree.ts";
import { controlPlaneFlags } from "../../control-plane-flags.ts";
import { addSettings } from "../../setting-options.ts";

/** `heddle cp run`: runs a control plane until Ctrl-C or SIGTERM. Its flags are the control plane's own table. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command.option("-c, --config-file <file>", "settings, YAML");
  const readFlags = addSettings(typed, controlPlaneFlags());
  typed.action(async ({ configFile }) => {
    const [{ runControlPlane }, { startControlPlane }] = await Promise.all([
      import("@heddle/control-plane/main.ts"),
      import("../../start-control-plane.ts"),
    ]);
    await startControlPlane(() => runControlPlane({ flags: readFlags(), configFile, env: cli.env }, cli.signal));
  });
  addExamples(typed, [
    ["heddle cp run", "a control plane with its store in .heddle"],
    ["heddle cp run -c conf.yaml --api-http-port 6681", "with settings from a file, and one over it"],
    ["HEDDLE_STORE_TYPE=memory heddle cp run", "with a setting from the environment, and nothing kept"],
  ]);
}
