import { randomBytes } from "node:crypto";
import { open, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { LOCAL_KEY_BYTES } from "@heddle/store/local-key.ts";
import type { KeySource } from "./key-source.ts";
import { readKeys } from "./key-text.ts";

const NAME = "encryption.key";

/** The file of a key that the control plane made for itself, beside the store. */
export function generatedKeyFile(folder: string): string {
  return join(folder, NAME);
}

/** A key that is made when it is needed first, in a file of its own that only this user may read. */
export function generatedKey(folder: string): KeySource {
  const file = generatedKeyFile(folder);
  const texts = async (): Promise<readonly string[]> =>
    ((await textOf(file)) ?? "").split("\n").filter((line) => line !== "");
  return {
    use: "generated",
    place: `file "${file}"`,
    read: async () => {
      const text = await textOf(file);
      return text === undefined ? [] : readKeys(text, `file "${file}"`);
    },
    renew: async () => {
      await writeWhole(file, [randomBytes(LOCAL_KEY_BYTES).toString("base64"), ...(await texts())]);
    },
    forgetOld: async () => {
      const lines = await texts();
      if (lines.length > 1) await writeWhole(file, lines.slice(0, 1));
    },
  };
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw new Error(`Cannot read the encryption key of "${file}": ${message}; let this user read it`, { cause });
  }
}

/** The file has the old content or the new one, whatever happens, and the new one is on the disk when this is done. */
async function writeWhole(file: string, lines: readonly string[]): Promise<void> {
  const next = `${file}.new`;
  const handle = await open(next, "w", 0o600);
  try {
    await handle.chmod(0o600);
    await handle.writeFile(`${lines.join("\n")}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(next, file);
  const folder = await open(dirname(file), "r");
  // Some network file systems cannot sync a folder; the rename is in their hands then.
  await folder.sync().catch(() => undefined);
  await folder.close();
}
