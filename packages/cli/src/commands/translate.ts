import { CliError, UsageError } from "../cli-error.ts";
import type { Cli } from "../cli.ts";
import { addExamples, type CliCommand } from "../command-tree.ts";
import { addPlace, addVariable } from "../documents/document-flags.ts";
import { readDocuments } from "../documents/read-documents.ts";

/** `heddle translate`: resources of Kuma 2.x in today's kinds, without a control plane. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command
    .argument("[file...]", "the same as -f")
    .option("-f, --file <place>", "file, folder, URL or - for standard input; may be repeated", addPlace)
    .option("-v, --var <key=value>", "value for {{ key }} in the documents; may be repeated", addVariable)
    .option("-m, --mesh <mesh>", "mesh of documents that name none", "default")
    .action(async (files, options) => {
      const places = [...(options.file ?? []), ...files];
      if (places.length === 0)
        throw new UsageError("Cannot translate: no file is named", { next: ["heddle translate -f FILE"] });
      const read = { stdin: cli.stdin, signal: cli.signal, variables: options.var ?? {}, mesh: options.mesh };
      const documents = await readDocuments(places, read);
      const { translateDocuments } = await import("../translate/translate-documents.ts");
      const { yaml, mistakes } = translateDocuments(documents);
      if (mistakes.length > 0) throw new CliError("Cannot translate what is not valid", { details: mistakes });
      cli.terminal.print(yaml.trimEnd());
    });
  addExamples(typed, [
    ["heddle translate -f old.yaml > today.yaml", "what policies of Kuma 2.x are today"],
    [
      "heddle apply -f today.yaml --diff",
      "what that would change at which proxy: names of rules, when all of it could be said",
    ],
    ["heddle get traffic-routes -o yaml | heddle translate -f -", "the same for what is stored"],
  ]);
}
