import { UsageError } from "../../cli-error.ts";
import type { Cli } from "../../cli.ts";
import { addExamples, type CliCommand } from "../../command-tree.ts";
import { connect } from "../../connect.ts";
import { requestToken } from "../../generate/request-token.ts";
import { isOffline, signOffline, validForMillis } from "../../generate/token-options.ts";

// Kuma's life of a token for which nobody chose one.
const TEN_YEARS = "10y";

const FREE_CHOICE =
  "note: with this token a proxy chooses its labels and tags itself, and with them the services that it serves; " +
  "bind it with --workload or --tag";

/** `heddle generate dataplane-token`: a token that lets a proxy into a mesh. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command
    .option("-m, --mesh <mesh>", "mesh that it is for", "default")
    .option("--name <name>", "only for the proxy of this name")
    .option("--tag <key=value,...>", "only for proxies with one of these values of a tag; may be repeated", addTag)
    .option("--workload <name>", "only for proxies of this workload")
    .addOption(
      command.createOption("--proxy-type <type>", "kind of proxy").choices(["dataplane", "ingress", "egress"] as const),
    )
    .option("--valid-for <duration>", "life of the token", TEN_YEARS)
    .option("--kid <id>", "sign here: the number of the key")
    .option("--signing-key-path <file>", "sign here: private key, PEM; - for standard input")
    .action(async (options) => {
      const { mesh, name = "", tag: tags = {}, workload = "", proxyType: type = "", validFor } = options;
      const claims = { name, mesh, tags, type, workload };
      // Go has no years: the API reads units up to hours.
      const body = { ...claims, validFor: `${validForMillis(validFor)}ms` };
      cli.terminal.printValue(
        isOffline(options)
          ? await signOffline("dataplane", claims, options, cli)
          : await requestToken(await connect(typed, cli), "dataplane", body),
      );
      if (workload === "" && Object.keys(tags).length === 0) cli.terminal.note(FREE_CHOICE);
    });
  addExamples(typed, [
    ["heddle generate dataplane-token --name web-1 --valid-for 720h > token", "a token for one proxy, for 30 days"],
    [
      "heddle generate dataplane-token --mesh prod --tag kuma.io/service=web,web-canary",
      "for the proxies of two services",
    ],
    [
      "heddle generate dataplane-token --name web-1 --kid 1 --signing-key-path key.pem",
      "signed here, without a control plane",
    ],
  ]);
}

function addTag(
  raw: string,
  before: Readonly<Record<string, readonly string[]>> = {},
): Readonly<Record<string, readonly string[]>> {
  const at = raw.indexOf("=");
  if (at < 1) throw new UsageError(`Cannot read tag "${raw}": it must be written as key=value or key=value1,value2`);
  const key = raw.slice(0, at);
  return { ...before, [key]: [...(before[key] ?? []), ...raw.slice(at + 1).split(",")] };
}
