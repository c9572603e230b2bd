import { CliError } from "../../cli-error.ts";
import type { Cli } from "../../cli.ts";
import { addExamples, type CliCommand } from "../../command-tree.ts";
import { connect } from "../../connect.ts";
import { controlPlaneFlags } from "../../control-plane-flags.ts";
import { number, record, text } from "../../json.ts";
import { addSettings, type GivenFlags } from "../../setting-options.ts";

/** A store of a million rows takes some minutes. */
const LONGEST_MILLIS = 3_600_000;

/** How far a rotation is, and which key protects the store. */
export interface EncryptionProgress {
  readonly keyId: string;
  readonly place: string;
  readonly done: number;
  readonly total: number;
}

/** `heddle rotate encryption-key`: the store is encrypted anew, under the key that is in force by now. */
export function define(command: CliCommand, cli: Cli): void {
  const typed = command
    .option("--offline", "work on the store itself while no control plane runs, with the settings below")
    .option("--settings <file>", "with --offline: the control plane's settings, YAML");
  const offlineFlags = controlPlaneFlags().filter(({ name }) => name === "dataFolder" || name.startsWith("encryption"));
  const readFlags = addSettings(
    typed,
    offlineFlags.map((flag) => ({ ...flag, description: `with --offline: ${flag.description}` })),
  );
  typed.action(async ({ offline, settings }) => {
    const spinner = cli.terminal.spinner("Encrypting");
    const onProgress = (progress: EncryptionProgress): void => spinner.update(renderProgress(progress));
    try {
      const last = offline
        ? await rotateHere({ flags: readFlags(), configFile: settings }, cli, onProgress)
        : await rotateThere(typed, cli, onProgress);
      spinner.stop();
      cli.terminal.print(render(last));
    } finally {
      spinner.stop();
    }
  });
  addExamples(typed, [
    [
      "heddle rotate encryption-key",
      "at a control plane that runs, after the new key was put above the old one in its file",
    ],
    ["heddle rotate encryption-key --offline --data .heddle", "while none runs"],
  ]);
}

type OnProgress = (progress: EncryptionProgress) => void;

async function rotateThere(
  command: Parameters<typeof connect>[0],
  cli: Cli,
  onProgress: OnProgress,
): Promise<EncryptionProgress> {
  const api = await connect(command, cli);
  const action = "rotate the encryption key";
  let last: EncryptionProgress | undefined;
  const lines = api.lines({ method: "POST", path: "/encryption-key/rotate", action, timeoutMillis: LONGEST_MILLIS });
  for await (const line of lines) {
    const step = record(JSON.parse(line));
    const progress = progressOf(step);
    onProgress(progress);
    if (step["done"] === true) last = progress;
  }
  if (last !== undefined) return last;
  throw new CliError("Cannot tell whether the encryption key was rotated: the control plane stopped answering", {
    next: ["A rotation that was cut off is ended by the next start of the control plane; then rotate again"],
  });
}

async function rotateHere(
  { flags, configFile }: { readonly flags: GivenFlags; readonly configFile: string | undefined },
  cli: Cli,
  onProgress: OnProgress,
): Promise<EncryptionProgress> {
  const { rotateOffline } = await import("@heddle/control-plane/encryption/rotate-offline.ts");
  const { keyId, place } = await rotateOffline({ flags, configFile, env: cli.env }, cli.signal, (progress) =>
    onProgress({ keyId: "", place: "", ...progress }),
  );
  return { keyId, place, done: 1, total: 1 };
}

function progressOf(step: Readonly<Record<string, unknown>>): EncryptionProgress {
  const rows = record(step["rows"]);
  return {
    keyId: text(step["keyId"]) ?? "",
    place: text(step["place"]) ?? "",
    done: number(rows["done"]) ?? 0,
    total: number(rows["total"]) ?? 0,
  };
}

/** "Encrypting: 1200 of 5000". */
export function renderProgress({ done, total }: EncryptionProgress): string {
  return `Encrypting: ${done} of ${total}`;
}

/** What protects the store now. */
export function render({ keyId, place }: EncryptionProgress): string {
  return `Everything in the store is encrypted anew; key ${keyId} of ${place} protects it`;
}
