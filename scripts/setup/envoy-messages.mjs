import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { explainOrQuote } from "./explain.mjs";
import { swapFolder, temporaryFolder } from "./folders.mjs";
import { ROOT, TOOLS } from "./places.mjs";
import { runCommand } from "./run-command.mjs";
import { SetupError } from "./setup-error.mjs";

const GENERATED = join(ROOT, "packages/envoy/gen");
const PROTOS = join(ROOT, "packages/envoy/protos.txt");
/** @typedef {{ readonly wanted: string, readonly whole: string }} Descriptors files with a FileDescriptorSet each */

/** Whatever decides what is generated: when one of them changes, the folder is made anew. */
const INPUTS = [
  PROTOS,
  ...["xds-protos.txt", "descriptors.py", "envoy-messages.mjs", "generate-messages.mjs"].map((file) =>
    join(ROOT, "scripts/setup", file),
  ),
];

export function envoyMessagesAreThere() {
  const stamp = join(GENERATED, "inputs");
  return existsSync(stamp) && readFileSync(stamp, "utf8") === hashOfInputs();
}

function hashOfInputs() {
  const hash = createHash("sha256");
  for (const file of INPUTS) hash.update(readFileSync(file));
  return hash.digest("hex");
}

/**
 * Writes the descriptors of the wanted files of Envoy's API, and of the whole of it; needs only Python, so it may run
 * while npm still does.
 * @param {AbortSignal} signal
 * @returns {Promise<Descriptors>}
 */
export async function writeDescriptors(signal) {
  const folder = temporaryFolder("descriptors");
  const files = { wanted: join(folder, "envoy.binpb"), whole: join(folder, "whole-api.binpb") };
  const program = join(ROOT, "scripts/setup/descriptors.py");
  const args = ["-I", program, join(TOOLS, "xds-protos"), files.wanted, files.whole, ...wantedProtos()];
  const { ok, output } = await runCommand("python3", args, { signal });
  if (!ok) throw new SetupError(`Cannot read Envoy's API: ${explainOrQuote(output).state}`, "See .tools/setup.log.");
  return files;
}

function wantedProtos() {
  const lines = readFileSync(PROTOS, "utf8").split("\n");
  return lines.map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
}

/**
 * Generates packages/envoy/gen aside and puts it in place when it is whole.
 * @param {Descriptors} descriptors
 * @param {AbortSignal} signal
 */
export async function generateEnvoyMessages(descriptors, signal) {
  // Imported late: it needs packages that npm has only just installed.
  const { generateMessages } = await import("./generate-messages.mjs");
  const folder = temporaryFolder("gen");
  for (const { name, content } of await generateMessages(readFileSync(descriptors.wanted), signal)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  copyFileSync(descriptors.whole, join(folder, "whole-api.binpb"));
  writeFileSync(join(folder, "inputs"), hashOfInputs());
  swapFolder(folder, GENERATED);
}
