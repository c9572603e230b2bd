import { pathOf } from "../../api/api.ts";
import type { Cli } from "../../cli.ts";
import { addExamples, type CliCommand } from "../../command-tree.ts";
import { connect } from "../../connect.ts";
import { formatData } from "../../output/data.ts";

/** `heddle inspect rules`: what policies come to at a proxy. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command
    .argument("<dataplane>", "the proxy")
    .option("-m, --mesh <mesh>", "its mesh", "default")
    .addOption(
      command
        .createOption("-o, --output <format>", "how to show it")
        .choices(["text", "yaml", "json"] as const)
        .default("text" as const),
    )
    .action(async (name, { mesh, output }) => {
      const api = await connect(typed, cli);
      const path = pathOf("meshes", mesh, "dataplanes", name, "_rules");
      const answer = await api.json({ path, action: `inspect the rules of Dataplane ${mesh}/${name}` });
      if (output !== "text") return cli.terminal.print(await formatData(answer, output));
      const { renderRules } = await import("../../inspect/render-rules.ts");
      cli.terminal.print(renderRules(answer, cli.terminal.paint));
    });
  addExamples(typed, [
    ["heddle inspect rules web-1", "every rule in force at web-1, and which policy it comes from"],
    ["heddle inspect rules web-1 -o json", "the same for programs"],
  ]);
}
