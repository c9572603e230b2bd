import type { Cli } from "../cli.ts";
import { addExamples, type CliCommand } from "../command-tree.ts";
import { controlPlaneFlags } from "../control-plane-flags.ts";
import { addSettings } from "../setting-options.ts";

/** `heddle up`: a mesh on this machine in one command, until Ctrl-C. It takes the flags of a control plane. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command.option("--demo", "with three small services that call each other through it");
  const readFlags = addSettings(typed, controlPlaneFlags());
  typed.action(async ({ demo }) => {
    const [{ up }, { startControlPlane }] = await Promise.all([
      import("@heddle/control-plane/up.ts"),
      import("../start-control-plane.ts"),
    ]);
    await startControlPlane(() => up({ ...readFlags(), demo }, cli.signal));
  });
  addExamples(typed, [
    ["heddle up", "a control plane on this machine, its store in .heddle"],
    ["heddle up --demo", "the same with services in it, and a tour of what to try"],
    ["heddle up --demo --store memory", "without anything that stays"],
  ]);
}
