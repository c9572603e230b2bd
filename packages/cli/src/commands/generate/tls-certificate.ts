import { writeFile } from "node:fs/promises";
import { CliError, UsageError } from "../../cli-error.ts";
import type { Cli } from "../../cli.ts";
import { addExamples, type CliCommand } from "../../command-tree.ts";

const KEY_TYPES = { ecdsa: "ecdsa-p256", rsa: "rsa-2048" } as const;

/** `heddle generate tls-certificate`: a key and a self-signed certificate for a control plane, or for who calls it. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command
    .addOption(
      command
        .createOption("--type <type>", "server: for a control plane; client: for who calls it")
        .choices(["server", "client"] as const)
        .makeOptionMandatory(),
    )
    .option("--hostname <name>", "host name or IP address that it is for; may be repeated", collectHosts)
    .addOption(
      command
        .createOption("--key-type <type>", "kind of key")
        .choices(["ecdsa", "rsa"] as const)
        .default("ecdsa" as const),
    )
    .option("--cert-file <file>", "where the certificate goes; - for standard output", "cert.pem")
    .option("--key-file <file>", "where the key goes; - for standard output", "key.pem")
    .option("--overwrite", "replace files that are there")
    .action(async ({ type, hostname: hosts = [], keyType, certFile, keyFile, overwrite = false }) => {
      const { certificatePem, keyPem } = await make(type, hosts, KEY_TYPES[keyType], cli.now());
      // The key first: a certificate that lies there without its key looks usable and is not.
      await save(keyFile, keyPem, { mode: 0o600, overwrite }, cli);
      await save(certFile, certificatePem, { mode: 0o644, overwrite }, cli);
      cli.terminal.note(`Wrote a certificate to ${certFile} and its key to ${keyFile}`);
    });
  addExamples(typed, [
    [
      "heddle generate tls-certificate --type server --hostname cp.example.com --hostname 10.0.0.5",
      "for a control plane",
    ],
    [
      "heddle generate tls-certificate --type client --key-type rsa --cert-file me.pem --key-file me.key",
      "for who calls it",
    ],
  ]);
}

async function make(
  usage: "server" | "client",
  hosts: readonly string[],
  keyType: (typeof KEY_TYPES)[keyof typeof KEY_TYPES],
  now: Date,
): Promise<{ readonly certificatePem: string; readonly keyPem: string }> {
  if (usage === "server" && hosts.length === 0) {
    throw new UsageError("Cannot make a server certificate: no host name is given", {
      next: ["Add --hostname cp.example.com"],
    });
  }
  const identity = await import("@heddle/identity/server-certificate.ts");
  const commonName = hosts[0] ?? "heddle";
  const validitySeconds = identity.DEFAULT_SERVER_VALIDITY_SECONDS;
  const made = await identity.createServerCertificate({ usage, commonName, hosts, keyType, validitySeconds, now });
  if (made.ok) return made.value;
  throw new UsageError("Cannot make the certificate: a host name is wrong", {
    details: made.violations.map(({ message }) => `--hostname ${message}`),
  });
}

async function save(
  path: string,
  pem: string,
  how: { readonly mode: number; readonly overwrite: boolean },
  cli: Cli,
): Promise<void> {
  if (path === "-") return cli.terminal.print(pem.trimEnd());
  try {
    await writeFile(path, pem, { mode: how.mode, flag: how.overwrite ? "w" : "wx" });
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === "EEXIST";
    throw new CliError(`Cannot write "${path}": ${exists ? "the file is there already" : (cause as Error).message}`, {
      next: exists ? ["Replace it with --overwrite, or name another file with --cert-file and --key-file"] : [],
      cause,
    });
  }
}

function collectHosts(raw: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...raw.split(",").filter((host) => host !== "")];
}
