import type { Cli } from "../cli.ts";
import { addExamples, type CliCommand } from "../command-tree.ts";

/** `heddle completion`: a script for a shell, which asks `heddle complete` at every TAB. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command
    .addArgument(command.createArgument("<shell>", "your shell").choices(["bash", "zsh", "fish"] as const))
    .action(async (shell) => {
      const { SCRIPTS } = await import("../completion/scripts.ts");
      cli.terminal.print(SCRIPTS[shell].trimEnd());
    });
  addExamples(typed, [
    ["source <(heddle completion bash)", "for this shell; put the line into ~/.bashrc to have it always"],
    ["source <(heddle completion zsh)", "the same for ~/.zshrc"],
    ["heddle completion fish > ~/.config/fish/completions/heddle.fish", "for fish, from now on"],
  ]);
}
