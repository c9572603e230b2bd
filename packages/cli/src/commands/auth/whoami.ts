import type { Cli } from "../../cli.ts";
import { addExamples, type CliCommand } from "../../command-tree.ts";
import { connect } from "../../connect.ts";
import { record, text, texts } from "../../json.ts";
import { formatData } from "../../output/data.ts";

/** `heddle auth whoami`: whom the control plane takes you for. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command
    .addOption(command.createOption("-o, --output <format>", "data for programs").choices(["json", "yaml"] as const))
    .action(async ({ output }) => {
      const answer = await (await connect(typed, cli)).json({ path: "/who-am-i", action: "find out who you are" });
      cli.terminal.print(output === undefined ? render(answer) : await formatData(answer, output));
    });
  addExamples(typed, [["heddle auth whoami", "your name and groups, as roles and lists have to name them"]]);
}

/** The name, and the groups in a line of their own. */
export function render(answer: unknown): string {
  const { name, groups } = record(answer);
  return [text(name) ?? "nobody", `groups: ${texts(groups).join(", ") || "none"}`].join("\n");
}
