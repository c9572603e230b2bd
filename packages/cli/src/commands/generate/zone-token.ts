import type { Cli } from "../../cli.ts";
import { addExamples, type CliCommand } from "../../command-tree.ts";
import { connect } from "../../connect.ts";
import { requestToken } from "../../generate/request-token.ts";
import { isOffline, signOffline, validForMillis } from "../../generate/token-options.ts";

/** `heddle generate zone-token`: a token with which a zone's control plane calls the global one. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command
    .requiredOption("--zone <zone>", "the zone that it is for")
    .option(
      "--scope <scope>",
      "what it may be used for: cp; Kuma 2.x also ingress and egress; may be repeated",
      collectScopes,
    )
    .requiredOption("--valid-for <duration>", "life of the token")
    .option("--kid <id>", "sign here: the number of the key")
    .option("--signing-key-path <file>", "sign here: private key, PEM; - for standard input")
    .action(async (options) => {
      const { zone, scope = [], validFor } = options;
      const millis = validForMillis(validFor);
      const token = isOffline(options)
        ? await signOffline("zone", { zone, scope }, options, cli)
        : await requestToken(await connect(typed, cli), "zone", { zone, scope, validFor: `${millis}ms` });
      cli.terminal.printValue(token);
    });
  addExamples(typed, [
    ["heddle generate zone-token --zone east --valid-for 720h", "a token for a zone, for 30 days"],
    [
      "heddle generate zone-token --zone east --scope cp --valid-for 720h --kid 1 --signing-key-path key.pem",
      "signed here",
    ],
  ]);
}

function collectScopes(raw: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...raw.split(",").filter((scope) => scope !== "")];
}
