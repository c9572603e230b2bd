import { existsSync } from "node:fs";
import { join } from "node:path";
import type { RotationProgress } from "@heddle/store/encrypted.ts";
import { loadRunConfig, type RunOptions } from "../main.ts";
import { type EncryptionState, openStoreFile } from "./open-store.ts";
import { createLog } from "../log.ts";

/** Rotates the key of a store that no control plane has open, with the settings of the control plane that will. */
export async function rotateOffline(
  options: RunOptions,
  signal: AbortSignal,
  onProgress: (progress: RotationProgress) => void,
): Promise<EncryptionState> {
  const { config } = await loadRunConfig(options);
  // Opening would make one, and a wrong folder would look like success.
  const file = join(config.dataFolder, "store.sqlite");
  if (!existsSync(file))
    throw new Error(`Cannot rotate the encryption key: there is no store "${file}"; name its folder with --data`);
  const { store, encryption } = await openStoreFile(config, createLog(config), signal);
  await using _open = store;
  return await encryption.rotate(onProgress);
}
