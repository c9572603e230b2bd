import { CliError, UsageError } from "../../../cli-error.ts";
import type { Cli } from "../../../cli.ts";
import { addExamples, type CliCommand } from "../../../command-tree.ts";
import { openProfile } from "../../../connect.ts";
import { globalOptions } from "../../../global-options.ts";
import { record, text } from "../../../json.ts";
import { parseAddress } from "../../../profiles/choose-profile.ts";
import { withProfile, type Profile } from "../../../profiles/profile.ts";
import { defaultProfileFile, readProfiles, writeProfiles } from "../../../profiles/profile-file.ts";

interface Flags {
  readonly name: string;
  readonly address: string;
  readonly caCertFile?: string | undefined;
  readonly clientCertFile?: string | undefined;
  readonly clientKeyFile?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly authType?: "tokens" | undefined;
  readonly authConf?: Readonly<Record<string, string>> | undefined;
  readonly skipVerify?: true | undefined;
}

/** `heddle config control-planes add`: writes a profile down, after a look whether a control plane answers there. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command
    .requiredOption("--name <name>", "what you call it")
    .requiredOption("--address <url>", "its REST API: http://HOST:5681 or https://HOST:5682")
    .option("--ca-cert-file <file>", "PEM of the authority that signed its certificate")
    .option("--client-cert-file <file>", "PEM of your certificate")
    .option("--client-key-file <file>", "PEM of its key")
    .option("--headers <key=value>", "header for every call; may be repeated", addPair)
    .addOption(command.createOption("--auth-type <type>", "how you log in").choices(["tokens"] as const))
    .option("--auth-conf <key=value>", "with --auth-type tokens: token=TOKEN", addPair)
    .option("--overwrite", "replace a profile of this name")
    .option("--skip-verify", "trust any certificate; for trials alone")
    .option("--skip-check", "write it down without a look")
    .action(async (options) => {
      const profile = profileFrom(options);
      const path = globalOptions(typed).configFile ?? defaultProfileFile(cli.env);
      const before = await readProfiles(path);
      if (!options.overwrite && before.profiles.some(({ name }) => name === profile.name)) {
        throw new CliError(`Cannot add control plane "${profile.name}": there is one of this name`, {
          next: ["Replace it with --overwrite"],
        });
      }
      const found = options.skipCheck ? undefined : await greet(profile, globalOptions(typed), cli);
      await writeProfiles(path, withProfile(before, profile));
      cli.terminal.print(
        `Added control plane "${profile.name}"${found === undefined ? "" : ` (${found})`} and using it from now on`,
      );
    });
  addExamples(typed, [
    ["heddle config control-planes add --name local --address http://localhost:5681", "the one on this machine"],
    [
      "heddle config control-planes add --name prod --address https://cp.example.com:5682 --ca-cert-file ca.pem --auth-type tokens --auth-conf token=$TOKEN",
      "one that asks for a user token",
    ],
  ]);
}

/** The profile that the flags describe. */
export function profileFrom(flags: Flags): Profile {
  const { name, headers = {}, authConf = {}, authType, caCertFile, clientCertFile, clientKeyFile } = flags;
  if ((clientCertFile === undefined) !== (clientKeyFile === undefined)) {
    throw new UsageError(
      "Cannot use a client certificate without its key: give both --client-cert-file and --client-key-file",
    );
  }
  const token = authConf["token"];
  if ((authType === undefined) !== (token === undefined)) {
    throw new UsageError(
      "Cannot log in with half of a token: give both --auth-type tokens and --auth-conf token=TOKEN",
    );
  }
  return {
    name,
    address: parseAddress(flags.address),
    ...(caCertFile === undefined ? {} : { caCertFile }),
    ...(clientCertFile === undefined ? {} : { clientCertFile }),
    ...(clientKeyFile === undefined ? {} : { clientKeyFile }),
    ...(flags.skipVerify === true ? { skipVerify: true } : {}),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    ...(token === undefined ? {} : { token }),
  };
}

/** Product and version of the control plane that answers. */
async function greet(profile: Profile, options: Parameters<typeof openProfile>[1], cli: Cli): Promise<string> {
  const api = openProfile(profile, options, cli);
  const index = record(await api.json({ path: "/", action: `add control plane "${profile.name}"` }));
  const product = text(index["product"]);
  if (product === undefined) {
    throw new CliError(
      `Cannot add control plane "${profile.name}": what answers at ${profile.address} is no control plane`,
      {
        next: ["Give the address of the REST API, port 5681 or 5682; or add it unseen with --skip-check"],
      },
    );
  }
  return [product, text(index["version"])].filter((part) => part !== undefined).join(" ");
}

function addPair(raw: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const at = raw.indexOf("=");
  if (at < 1) throw new UsageError(`Cannot read "${raw.slice(0, 20)}": it must be written as key=value`);
  return { ...before, [raw.slice(0, at)]: raw.slice(at + 1) };
}
