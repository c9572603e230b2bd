// Plain JavaScript, because set-up asks the same question on Node 20, before there is a Node that runs TypeScript.
import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** Minor versions of Envoy 1 that Heddle is made for: the oldest and the newest. */
export const SUPPORTED_MINORS = /** @type {const} */ ([36, 40]);

/** Where set-up puts the Envoy that it fetches. */
export const FETCHED_ENVOY = fileURLToPath(new URL("../../../.tools/envoy/envoy/_bin/envoy", import.meta.url));

/**
 * An Envoy binary. `version` is such as "1.40.0", `build` the whole of what it says of itself, with the TLS library at the
 * end; `supported` can be false only for one that HEDDLE_ENVOY names.
 * @typedef {{ readonly path: string, readonly version: string, readonly build: string, readonly supported: boolean }} Envoy
 */

/**
 * Finds the Envoy to run: the one that HEDDLE_ENVOY names, else the first supported one on PATH, else the fetched one.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Envoy | undefined>} undefined: there is none
 * @throws {Error} when HEDDLE_ENVOY names something that is not an Envoy; a deliberate choice is never passed over
 */
export async function searchEnvoy(env) {
  const chosen = env["HEDDLE_ENVOY"];
  if (chosen) return readChosen(chosen);
  const folders = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  for (const path of [...folders.map((folder) => join(folder, "envoy")), FETCHED_ENVOY]) {
    const envoy = await readEnvoy(path);
    if (envoy?.supported) return envoy;
  }
  return undefined;
}

/**
 * @param {string} path
 * @returns {Promise<Envoy>}
 */
async function readChosen(path) {
  const envoy = await readEnvoy(path);
  if (envoy !== undefined) return envoy;
  throw new Error(
    `Cannot use the Envoy "${path}" that HEDDLE_ENVOY names: it is no program that answers --version as Envoy does; name another one, or unset HEDDLE_ENVOY`,
  );
}

/**
 * @param {string} path
 * @returns {Promise<Envoy | undefined>}
 */
async function readEnvoy(path) {
  try {
    await access(path, constants.X_OK);
    const { stdout } = await promisify(execFile)(path, ["--version"], { timeout: 20_000 });
    // "…/envoy  version: 9e5580933739775e8bce696a57a2e1bc99368f23/1.40.0/Clean/RELEASE/BoringSSL"
    const [, build, version] = /version: ([^/\s]*\/(\d+\.\d+\.[^/\s]+)\/\S*)/.exec(stdout) ?? [];
    if (build === undefined || version === undefined) return undefined;
    return { path, version, build, supported: isSupported(version) };
  } catch {
    return undefined;
  }
}

/** @param {string} version */
function isSupported(version) {
  const [major, minor = 0] = version.split(".").map(Number);
  const [oldest, newest] = SUPPORTED_MINORS;
  return major === 1 && minor >= oldest && minor <= newest;
}
