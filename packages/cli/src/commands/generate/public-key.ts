import { CliError } from "../../cli-error.ts";
import type { Cli } from "../../cli.ts";
import { addExamples, type CliCommand } from "../../command-tree.ts";
import { formatPem, PEM_FORMATS } from "../../generate/pem-format.ts";
import { readKey } from "../../generate/token-options.ts";

/** `heddle generate public-key`: what a control plane verifies tokens with that were signed elsewhere. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command
    .requiredOption("--signing-key-path <file>", "the private key, PEM; - for standard input")
    .addOption(
      command
        .createOption("--format <format>", "pem, or that in base64 as secrets hold it")
        .choices(PEM_FORMATS)
        .default("pem" as const),
    )
    .action(async ({ signingKeyPath, format }) => {
      const { publicKeyOf } = await import("@heddle/identity/signing-key.ts");
      const key = publicKeyOf(await readKey(signingKeyPath, cli), "--signing-key-path");
      if (!key.ok)
        throw new CliError(
          `Cannot read the key "${signingKeyPath}": ${key.violations.map(({ message }) => message).join(", ")}`,
        );
      cli.terminal.print(formatPem(key.value, format));
    });
  addExamples(typed, [
    ["heddle generate public-key --signing-key-path key.pem > public.pem", "the public half of a key"],
  ]);
}
