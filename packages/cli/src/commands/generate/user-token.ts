import type { Cli } from "../../cli.ts";
import { addExamples, type CliCommand } from "../../command-tree.ts";
import { connect } from "../../connect.ts";
import { requestToken } from "../../generate/request-token.ts";
import { isOffline, signOffline, validForMillis } from "../../generate/token-options.ts";

/** `heddle generate user-token`: a token for somebody who calls the REST API. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command
    .requiredOption("--name <name>", "who it is for")
    .option("--group <group>", "a group that they are in; may be repeated", collectGroups)
    .requiredOption("--valid-for <duration>", "life of the token")
    .option("--kid <id>", "sign here: the number of the key")
    .option("--signing-key-path <file>", "sign here: private key, PEM; - for standard input")
    .action(async (options) => {
      const { name, group: groups = [], validFor } = options;
      const millis = validForMillis(validFor);
      const token = isOffline(options)
        ? await signOffline("user", { name, groups }, options, cli)
        : await requestToken(await connect(typed, cli), "user", { name, groups, validFor: `${millis}ms` });
      cli.terminal.printValue(token);
    });
  addExamples(typed, [
    ["heddle generate user-token --name ada --group mesh-system:admin --valid-for 24h", "an administrator for a day"],
    [
      "heddle generate user-token --name ci --group deployers --valid-for 1h --kid 1 --signing-key-path key.pem",
      "signed here",
    ],
  ]);
}

function collectGroups(raw: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...raw.split(",").filter((group) => group !== "")];
}
