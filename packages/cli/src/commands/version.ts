import type { Api } from "../api/api.ts";
import { CliError } from "../cli-error.ts";
import type { Cli } from "../cli.ts";
import { addExamples, type CliCommand } from "../command-tree.ts";
import { connect } from "../connect.ts";
import { clientVersion } from "../client-version.ts";
import { record, text, texts } from "../json.ts";
import { formatData } from "../output/data.ts";

/** Versions of everything that works together. */
export interface Versions {
  readonly client: string;
  readonly server: { readonly address: string; readonly product: string; readonly version: string } | undefined;
  /** Why nothing is known of the control plane. */
  readonly serverProblem?: string;
  readonly envoy: {
    /** The Envoy that a sidecar on this machine would run. */
    readonly local: string | undefined;
    /** Minor versions that the control plane serves: "1.36" to "1.40". */
    readonly supported: readonly string[];
  };
}

/** `heddle version`: the versions of this command, the control plane, and Envoy. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command
    .option("--client", "only the version of this command; nothing is asked")
    .addOption(command.createOption("-o, --output <format>", "data for programs").choices(["json", "yaml"] as const))
    .action(async ({ client, output }) => {
      const { print } = cli.terminal;
      if (client)
        return print(output === undefined ? clientVersion() : await formatData({ client: clientVersion() }, output));
      const [server, local] = await Promise.all([askServer(await connect(typed, cli)), localEnvoy(cli)]);
      const { supported, ...rest } = server;
      const versions: Versions = { client: clientVersion(), ...rest, envoy: { local, supported } };
      print(output === undefined ? render(versions) : await formatData(versions, output));
    });
  addExamples(typed, [
    ["heddle version", "versions of this command, the control plane and Envoy"],
    ["heddle version --client -o json", "only of this command, for programs"],
  ]);
}

/** A line for each part. */
export function render({ client, server, serverProblem, envoy }: Versions): string {
  const range =
    envoy.supported.length === 0 ? "" : `, the control plane serves ${envoy.supported[0]} to ${envoy.supported.at(-1)}`;
  return [
    `heddle         ${client}`,
    `control plane  ${server === undefined ? (serverProblem ?? "unknown") : `${server.product} ${server.version} at ${server.address}`}`,
    `envoy          ${envoy.local ?? "none on this machine"}${range}`,
  ].join("\n");
}

type ServerVersions = Pick<Versions, "server" | "serverProblem"> & { readonly supported: readonly string[] };

// Nobody asks for versions only when all is well: a control plane that does not answer is a line, no failure.
async function askServer(api: Api): Promise<ServerVersions> {
  try {
    const index = record(await api.json({ path: "/", action: "ask for its version" }));
    const server = {
      address: api.address,
      product: text(index["product"]) ?? "unknown",
      version: text(index["version"]) ?? "unknown",
    };
    return { server, supported: await supportedEnvoys(api) };
  } catch (error) {
    if (error instanceof CliError)
      return { server: undefined, serverProblem: error.message.replace(/^Cannot [^:]*: /, ""), supported: [] };
    throw error;
  }
}

async function supportedEnvoys(api: Api): Promise<readonly string[]> {
  try {
    const versions = record(await api.json({ path: "/versions", action: "ask for the versions of Envoy" }));
    return texts(record(versions["envoy"])["supported"]);
  } catch (error) {
    if (error instanceof CliError) return [];
    throw error;
  }
}

async function localEnvoy(cli: Cli): Promise<string | undefined> {
  const { searchEnvoy } = await import("@heddle/envoy/envoy-search.mjs");
  const envoy = await searchEnvoy(cli.env).catch(() => undefined);
  return envoy?.version;
}
