import { addressText, type Address } from "../api/resource-types.ts";
import { CliError } from "../cli-error.ts";
import type { Cli } from "../cli.ts";

/** Has the name of each mesh among the targets typed; where nobody can type, or another name comes, nothing is deleted. */
export async function confirmMeshes(targets: readonly Address[], { terminal, signal }: Cli): Promise<void> {
  for (const target of targets.filter(({ type }) => type.name === "Mesh")) {
    const refuse = (state: string): CliError =>
      new CliError(`Cannot delete ${addressText(target)}: ${state}; nothing was deleted`, {
        next: ["Say that you mean it with --yes"],
      });
    if (!terminal.isInteractive) throw refuse("nobody is here to confirm it");
    const question = `Mesh "${target.name}" goes with all its policies and secrets. Type its name to delete it: `;
    const answer = await terminal.ask(question, signal);
    if (answer.trim() !== target.name) throw refuse("its name was not typed");
  }
}
