import { join } from "node:path";
import { type Store, StoreError } from "@heddle/model/store.ts";
import { type EncryptedStore, openEncryptedStore, type RotationProgress } from "@heddle/store/encrypted.ts";
import type { Config } from "../config/settings.ts";
import { makeDataFolder } from "../data-folder.ts";
import type { Log } from "../log.ts";
import { generatedKey } from "./generated-key.ts";
import { fileKeys, textKeys } from "./given-keys.ts";
import { KeyRing } from "./key-ring.ts";
import type { KeySource } from "./key-source.ts";
import { patience } from "./patience.ts";
import { type Attempt, transitKey } from "./transit-key.ts";

/** What protects the store, and how that is changed. */
export interface StoreEncryption {
  /** The id of the key that protects the store, and where that key is. Neither is secret. */
  state(): EncryptionState;
  /** Reads the keys anew, makes a new one where the control plane made the old one, and encrypts everything anew. */
  rotate(onProgress: (progress: RotationProgress) => void): Promise<EncryptionState>;
}

export interface EncryptionState {
  readonly keyId: string;
  readonly use: KeySource["use"];
  readonly place: string;
}

/** A store that is open, and what protects it. */
export interface OpenStore {
  readonly store: Store;
  readonly encryption: StoreEncryption;
}

/** Opens the store in the data folder with the keys that the configuration names; waits for Vault until the signal aborts. */
export async function openStoreFile(config: Config, log: Log, signal: AbortSignal): Promise<OpenStore> {
  await makeDataFolder(config.dataFolder);
  const waiting = patience(log, signal);
  const ring = new KeyRing(keySources(config, log, waiting.attempt));
  await ring.read();
  const opened = await openEncryptedStore({ file: join(config.dataFolder, "store.sqlite"), encryption: ring });
  waiting.end();
  // Everything is protected by the first key now: others that we made are of no use any more.
  await ring.source.forgetOld?.();
  if (!opened.isTidy)
    log.warn(
      "files of the store may still hold what was not yet encrypted: another program reads them, or the disk is full; the next start tries again",
    );
  return { store: opened.store, encryption: encryptionOf(opened, ring) };
}

function encryptionOf(opened: EncryptedStore, ring: KeyRing): StoreEncryption {
  let isRunning = false;
  const rotateKeys: StoreEncryption["rotate"] = async (onProgress) => {
    await ring.source.renew?.();
    await ring.read();
    await opened.rotate(onProgress);
    await ring.source.forgetOld?.();
    return stateOf(ring);
  };
  return {
    state: () => stateOf(ring),
    rotate: async (onProgress) => {
      // A second one would make another key, and forget the one that the first is just about to use.
      if (isRunning)
        throw new StoreError("conflict", "Cannot rotate the encryption key: that is under way; wait for it");
      isRunning = true;
      return await rotateKeys(onProgress).finally(() => (isRunning = false));
    },
  };
}

function stateOf(ring: KeyRing): EncryptionState {
  const { use, place } = ring.source;
  return { keyId: ring.keyId ?? "", use, place };
}

/** The sources that are given, the one that encrypts first. */
function keySources(config: Config, log: Log, attempt: Attempt): readonly KeySource[] {
  const { encryptionVault, encryptionKeyFile, encryptionKey, encryptionUse, dataFolder } = config;
  const sources = [
    ...(encryptionVault === undefined ? [] : [transitKey(encryptionVault, attempt)]),
    ...(encryptionKeyFile === "" ? [] : [fileKeys(encryptionKeyFile, (message) => log.warn(message))]),
    ...(encryptionKey === "" ? [] : [textKeys(encryptionKey)]),
    generatedKey(dataFolder),
  ];
  if (encryptionUse === "auto") return sources;
  const chosen = sources.find(({ use }) => use === encryptionUse);
  if (chosen !== undefined) return [chosen, ...sources.filter((source) => source !== chosen)];
  const setting = {
    vault: "store.encryption.vault",
    file: "--encryption-key-file",
    environment: "HEDDLE_ENCRYPTION_KEY",
    generated: "",
  };
  throw new Error(`Cannot encrypt the store by ${encryptionUse}: no such key is given; set ${setting[encryptionUse]}`);
}
