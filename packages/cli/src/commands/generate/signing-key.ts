import type { Cli } from "../../cli.ts";
import { addExamples, type CliCommand } from "../../command-tree.ts";
import { formatPem, PEM_FORMATS } from "../../generate/pem-format.ts";

/** `heddle generate signing-key`: a new private key that signs tokens. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command
    .addOption(
      command
        .createOption("--format <format>", "pem, or that in base64 as secrets hold it")
        .choices(PEM_FORMATS)
        .default("pem" as const),
    )
    .action(async ({ format }) => {
      const { generateSigningKey } = await import("@heddle/identity/signing-key.ts");
      cli.terminal.print(formatPem(await generateSigningKey(), format));
    });
  addExamples(typed, [
    ["heddle generate signing-key > key.pem", "a key to sign tokens with, away from the control plane"],
    ["heddle generate signing-key --format pem-base64", "for the data of a Secret"],
  ]);
}
