import { CliError, Interrupted, UsageError } from "../../cli-error.ts";
import type { Cli } from "../../cli.ts";
import { addExamples, type CliCommand } from "../../command-tree.ts";
import { connect } from "../../connect.ts";
import { formatData } from "../../output/data.ts";
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
  const withOutput = typed.addOption(
    command
      .createOption("-o, --output <format>", "how to show it")
      .choices(["text", "yaml", "json"] as const)
      .default("text" as const),
  );
  withOutput.action(async ({ offline, settings, output }) => {
    if (!offline) refuseSettings(settings, readFlags());
    const spinner = cli.terminal.spinner("Encrypting");
    const onProgress = (progress: EncryptionProgress): void => spinner.update(renderProgress(progress));
    try {
      const last = offline
        ? await rotateHere({ flags: readFlags(), configFile: settings }, cli, onProgress)
        : await rotateThere(typed, cli, onProgress);
      spinner.stop();
      const { keyId, place } = last;
      cli.terminal.print(output === "text" ? render(last) : await formatData({ keyId, place }, output));
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

// A control plane that runs has its own settings: to take these in silence would look like success.
function refuseSettings(file: string | undefined, flags: GivenFlags): void {
  if (file === undefined && Object.keys(flags).length === 0) return;
  throw new UsageError("Cannot use settings of the store without --offline: a control plane that runs has its own", {
    next: ["Stop the control plane and add --offline, or change its settings and start it again"],
  });
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
  const conflict = "Ask again when it is over: heddle rotate encryption-key";
  const call = {
    method: "POST",
    path: "/encryption-key/rotate",
    action,
    conflict,
    timeoutMillis: LONGEST_MILLIS,
  } as const;
  try {
    for await (const line of api.lines(call)) {
      const step = record(JSON.parse(line));
      const progress = progressOf(step);
      onProgress(progress);
      if (step["done"] === true) last = progress;
    }
  } catch (error) {
    if (!cli.signal.aborted) throw error;
    throw new Interrupted("Stopped waiting; the control plane encrypts the store to the end", {
      next: ["Its log says when that is done, or why not"],
    });
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
