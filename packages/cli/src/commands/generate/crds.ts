import type { Cli } from "../../cli.ts";
import { addExamples, type CliCommand } from "../../command-tree.ts";

/** `heddle generate crds`: what Kubernetes has to know of the kinds. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command.action(async () => {
    const [{ findKindWhere }, { customResourceDefinition }, { stringify }] = await Promise.all([
      import("../../explain/all-kinds.ts"),
      import("@heddle/model/custom-resource-definition.ts"),
      import("yaml"),
    ]);
    const found = await findKindWhere(() => false);
    const kinds = "all" in found ? found.all : [found.kind];
    const documents = kinds.flatMap((kind) => customResourceDefinition(kind) ?? []);
    const texts = documents.map((each) => stringify(each, { lineWidth: 0, aliasDuplicateObjects: false }));
    cli.terminal.print(texts.join("---\n").trimEnd());
  });
  addExamples(typed, [
    ["heddle generate crds | kubectl apply --server-side -f -", "teach a Kubernetes cluster the kinds"],
  ]);
}
