// Set-up, run by scripts/ensure.sh when something is missing: fetches and makes what Heddle needs, each thing only once.
// Plain JavaScript, because it must run on Node 20, before there is a Node that runs TypeScript.
import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FETCHED_ENVOY, searchEnvoy } from "../../packages/envoy/src/envoy-search.mjs";
import { envoyMessagesAreThere, generateEnvoyMessages, writeDescriptors } from "./envoy-messages.mjs";
import { explain } from "./explain.mjs";
import { removeUnfinished } from "./folders.mjs";
import { withLock } from "./lock.mjs";
import { beginLog, log } from "./log.mjs";
import { checkMachine, thisMachine } from "./machine.mjs";
import { installNpmPackages, linkNode, npmPackagesAreThere } from "./npm-packages.mjs";
import { TOOLS } from "./places.mjs";
import { Progress } from "./progress.mjs";
import { installPythonFolder, pythonFolderIsThere } from "./python-packages.mjs";
import { endLeftRunning } from "./run-command.mjs";
import { SetupError } from "./setup-error.mjs";

const progress = new Progress((line) => process.stderr.write(`${line}\n`));
/** Ends the tools that run, after a signal or after the first failure, so that nobody waits for the rest. */
const stopper = new AbortController();
const { signal } = stopper;

for (const name of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.once(name, () => stopper.abort(new SetupError("set-up stopped", "The next start goes on from here.")));
}

try {
  checkMachine(thisMachine());
  mkdirSync(TOOLS, { recursive: true });
  await withLock(TOOLS, setUp, { onWait: (pid) => progress.waiting(pid), signal });
} catch (error) {
  report(signal.aborted ? signal.reason : error);
  process.exitCode = 1;
}

/** Brings what is missing. What needs nothing from another step runs beside it. */
async function setUp() {
  const startedAt = new Date();
  endLeftRunning();
  removeUnfinished();
  beginLog();
  try {
    const packages = bringNpmPackages();
    await together([packages, bringEnvoy(), bringEnvoyMessages(packages), bringOpa()]);
  } finally {
    removeUnfinished();
  }
  markReady(startedAt);
  progress.finish();
}

async function bringNpmPackages() {
  if (!npmPackagesAreThere()) await progress.step("npm packages and Node 26", () => installNpmPackages(signal));
  await linkNode(signal);
}

async function bringEnvoy() {
  // A binary that HEDDLE_ENVOY names is judged by the command that runs it; the others do not need it.
  if (process.env["HEDDLE_ENVOY"] || pythonFolderIsThere("envoy")) return;
  const found = await searchEnvoy(process.env);
  if (found !== undefined && found.path !== FETCHED_ENVOY) return;
  await progress.step("Envoy", () => installPythonFolder("envoy", signal));
}

/** Only MeshOPA needs it, and says so when it is not there: a machine it is not made for does without. */
async function bringOpa() {
  if (pythonFolderIsThere("opa")) return;
  const bring = () => installPythonFolder("opa", signal).catch((/** @type {unknown} */ error) => log(String(error)));
  await progress.step("the Open Policy Agent", bring);
}

/** @param {Promise<void>} packages the generator of messages is among them */
async function bringEnvoyMessages(packages) {
  if (envoyMessagesAreThere()) return;
  if (!pythonFolderIsThere("xds-protos")) {
    await progress.step("Envoy's API", () => installPythonFolder("xds-protos", signal));
  }
  const descriptors = await writeDescriptors(signal);
  await packages;
  await progress.step("Envoy's API as TypeScript", () => generateEnvoyMessages(descriptors, signal));
}

/**
 * Waits until all have ended, even when one fails: whoever takes the lock next must find nothing running.
 * @param {readonly Promise<void>[]} works
 */
async function together(works) {
  const onFailure = (/** @type {unknown} */ error) => stopper.abort(error);
  await Promise.all(works.map((work) => work.catch(onFailure)));
  signal.throwIfAborted();
}

/**
 * The stamp that scripts/ensure.sh compares with the inputs of set-up. It is dated back to the start, so that whatever
 * somebody changed while this ran is newer.
 * @param {Date} startedAt
 */
function markReady(startedAt) {
  const stamp = join(TOOLS, "ready");
  writeFileSync(stamp, "");
  utimesSync(stamp, startedAt, startedAt);
}

/** @param {unknown} error */
function report(error) {
  const { message, next } = error instanceof SetupError ? error : unexpected(error);
  process.stderr.write(`heddle: ${message}\n  ${next}\n`);
}

/**
 * A failure of the file system, most likely; where it happened goes to the log file, not to the screen.
 * @param {unknown} error
 */
function unexpected(error) {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  log(text);
  const known = explain(text);
  const what = error instanceof Error ? error.message : text;
  return { message: `Cannot set up: ${known?.state ?? what}`, next: known?.next ?? "See .tools/setup.log." };
}
