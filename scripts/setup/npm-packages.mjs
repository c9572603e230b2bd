import { existsSync, readFileSync, rmSync, statfsSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { explainOrQuote } from "./explain.mjs";
import { ROOT, TOOLS } from "./places.mjs";
import { runCommand } from "./run-command.mjs";
import { SetupError } from "./setup-error.mjs";

/** What a first set-up takes in the clone (about 540 MB), and in the caches of npm and pip in the home folder. */
const NEEDED_MEGABYTES = 700;
const NODE_PACKAGE = `node-linux-${process.arch}`;

/** @typedef {{ readonly version?: string, readonly integrity?: string, readonly optional?: boolean }} LockedPackage */

/**
 * True when node_modules holds what package-lock.json names. npm writes its own list into node_modules as the last thing
 * it does, so an interrupted installation is seen as one.
 */
export function npmPackagesAreThere() {
  const wanted = lockedPackages(join(ROOT, "package-lock.json"));
  const installed = lockedPackages(join(ROOT, "node_modules/.package-lock.json"));
  return existsSync(join(ROOT, "node_modules", NODE_PACKAGE, "bin/node")) && isInstalled(wanted, installed);
}

/**
 * @param {Readonly<Record<string, LockedPackage>>} wanted
 * @param {Readonly<Record<string, LockedPackage>>} installed
 */
export function isInstalled(wanted, installed) {
  return Object.entries(wanted).every(([place, { version, integrity, optional }]) => {
    const found = installed[place];
    // Binaries of other processors are named in the lock file and left out on purpose; "" is the clone itself.
    if (found === undefined) return place === "" || optional === true;
    return found.version === version && found.integrity === integrity;
  });
}

/**
 * @param {string} file
 * @returns {Readonly<Record<string, LockedPackage>>}
 */
function lockedPackages(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).packages : {};
}

/** @param {AbortSignal} signal */
export async function installNpmPackages(signal) {
  if (!existsSync(join(ROOT, "node_modules"))) checkDisk();
  const first = isFinished() ? "install" : "ci";
  let outcome = await npm(first, signal);
  // A package.json that was edited without the lock file: `ci` refuses, `install` resolves what is new.
  if (!outcome.ok && /EUSAGE/.test(outcome.output)) outcome = await npm("install", signal);
  if (!outcome.ok) {
    const { state, next } = explainOrQuote(outcome.output);
    throw new SetupError(`Cannot install the npm packages: ${state}`, next);
  }
}

/** `npm ci` deletes node_modules first, under the feet of whatever runs from this clone; only a broken one is worth that. */
function isFinished() {
  return existsSync(join(ROOT, "node_modules/.package-lock.json"));
}

/**
 * @param {"ci" | "install"} command
 * @param {AbortSignal} signal
 */
function npm(command, signal) {
  // No package of ours needs its install scripts, so none gets to run one. Dev packages include the test tools.
  const flags = ["--no-save", "--ignore-scripts", "--include=dev", "--include=optional", "--prefer-offline"];
  return runCommand("npm", [command, ...flags, "--no-audit", "--no-fund", "--no-progress"], { signal, env: npmEnv() });
}

/** Set-up may itself run under `npm start`, whose choice of workspace must not become that of the inner npm. */
function npmEnv() {
  const inherited = Object.entries(process.env).filter(([name]) => !/^npm_config_workspaces?$/i.test(name));
  // npm's own waits add up to two minutes before it reports a network that is not there.
  const waits = {
    npm_config_fetch_retry_mintimeout: "500",
    npm_config_fetch_retry_maxtimeout: "4000",
    npm_config_fetch_timeout: "60000",
  };
  return { ...waits, ...Object.fromEntries(inherited), NODE_ENV: "development" };
}

function checkDisk() {
  const { bavail, bsize } = statfsSync(ROOT);
  const free = Math.floor((bavail * bsize) / 1_000_000);
  if (free >= NEEDED_MEGABYTES) return;
  throw new SetupError(
    `Cannot set up in "${ROOT}": ${free} MB are free on its disk, and about ${NEEDED_MEGABYTES} MB are needed`,
    "Free some space or move the clone to another disk, then run the same command again.",
  );
}

/**
 * Puts the folder of Node 26 at .tools/node, the one place that the shell scripts know, and proves that it starts.
 * @param {AbortSignal} signal
 */
export async function linkNode(signal) {
  const link = join(TOOLS, "node");
  if (existsSync(join(link, "node"))) return;
  rmSync(link, { force: true });
  symlinkSync(join("../node_modules", NODE_PACKAGE, "bin"), link);
  const { ok, output } = await runCommand(join(link, "node"), ["--version"], { signal });
  if (ok) return;
  rmSync(link, { force: true });
  throw new SetupError(
    `Cannot start Node 26 on this machine: ${output.trim().split("\n")[0]}`,
    "Use a newer Linux distribution; .tools/setup.log has the whole message.",
  );
}
