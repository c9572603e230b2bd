import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { type Store, StoreError } from "@heddle/model/store.ts";
import type { KeyEncryption } from "./key-encryption.ts";
import { openWith, type SqliteSettings } from "./sqlite.ts";
import type { DataKey, DataKeyRow, KeyChange } from "./sqlite/worker-protocol.ts";
import type { WorkerLog } from "./sqlite/worker-log.ts";

/** Where the store lives, and what protects the keys of its content. */
export interface EncryptedSettings extends SqliteSettings {
  readonly encryption: KeyEncryption;
}

/** How far a rotation is, in rows. */
export interface RotationProgress {
  readonly done: number;
  readonly total: number;
}

/** A store whose content is encrypted in the file; its users see no difference. */
export interface EncryptedStore {
  readonly store: Store;
  /** False while old pages of the file, kept for another program that reads it, may hold what was not yet encrypted. */
  readonly isTidy: boolean;
  /**
   * Encrypts everything anew with another data key, which the key in force protects; that key protects no other data
   * key afterwards. Reads and writes go on. Cut off, it is ended by the next start. One at a time: throws StoreError
   * "conflict" while another one runs.
   */
  rotate(onProgress: (progress: RotationProgress) => void): Promise<void>;
}

const KEY_BYTES = 32;

/**
 * Opens or creates an encrypted store; one with plain content is encrypted. Besides what `openSqliteStore` throws:
 * StoreError "unavailable" with the words of `KeyEncryption.unwrap` when the key is not there.
 */
export async function openEncryptedStore(settings: EncryptedSettings): Promise<EncryptedStore> {
  const { encryption } = settings;
  const file = resolve(settings.file);
  const held: Held = { encryption, keys: [] };
  let isTidy = true;
  let rotate: EncryptedStore["rotate"] = () => Promise.resolve();
  const store = await openWith(settings, async (log) => {
    const rows = await log.open();
    held.keys = await unwrapAll(encryption, rows, file);
    const change: KeyChange = rows.length === 0 ? await newKey(encryption, 1) : await rewrap(held, rows);
    const loaded = await log.ask({ do: "load", keys: held.keys, change });
    if (change.add !== undefined) held.keys = [change.add];
    // A disk too full for it, for one, is no reason not to start.
    isTidy = await log.ask({ do: "remove leftovers" }).catch(() => false);
    rotate = oneAtATime(file, (onProgress) => rotateKeys(log, held, onProgress));
    return loaded;
  });
  return { store, isTidy, rotate };
}

/** The data keys of the file. */
interface Held {
  readonly encryption: KeyEncryption;
  keys: readonly DataKey[];
}

function oneAtATime(file: string, rotate: EncryptedStore["rotate"]): EncryptedStore["rotate"] {
  let isRunning = false;
  return async (onProgress) => {
    if (isRunning) {
      throw new StoreError("conflict", `Cannot encrypt store "${file}" anew: that is under way already; wait for it`);
    }
    isRunning = true;
    await rotate(onProgress).finally(() => (isRunning = false));
  };
}

async function unwrapAll(encryption: KeyEncryption, rows: readonly DataKeyRow[], file: string): Promise<DataKey[]> {
  try {
    return await Promise.all(
      rows.map(async ({ id, key_id: keyId, wrapped }) => ({ id, key: await encryption.unwrap({ keyId, wrapped }) })),
    );
  } catch (cause) {
    throw new StoreError("unavailable", `Cannot open store "${file}": ${(cause as Error).message}`, { cause });
  }
}

async function newKey(
  encryption: KeyEncryption,
  id: number,
): Promise<{ readonly add: DataKey & DataKeyRow; readonly rewrapped: readonly [] }> {
  const key = randomBytes(KEY_BYTES);
  const { keyId, wrapped } = await encryption.wrap(key);
  return { add: { id, key, key_id: keyId, wrapped }, rewrapped: [] };
}

/** Data keys that another key protects than the one in force. */
async function rewrap({ encryption, keys }: Held, rows: readonly DataKeyRow[]): Promise<KeyChange> {
  const due = rows.filter((row) => !encryption.isInForce(row.key_id)).map(({ id }) => id);
  const rewrapped = keys.filter(({ id }) => due.includes(id));
  return { rewrapped: await wrapAll(encryption, rewrapped) };
}

async function wrapAll(encryption: KeyEncryption, keys: readonly DataKey[]): Promise<DataKeyRow[]> {
  return await Promise.all(
    keys.map(async ({ id, key }) => {
      const { keyId, wrapped } = await encryption.wrap(key);
      return { id, key_id: keyId, wrapped };
    }),
  );
}

async function rotateKeys(log: WorkerLog, held: Held, onProgress: (progress: RotationProgress) => void): Promise<void> {
  const { encryption, keys } = held;
  const { add } = await newKey(encryption, 1 + Math.max(...keys.map(({ id }) => id)));
  const rewrapped = await wrapAll(encryption, keys);
  const total = await log.ask({ do: "start rotation", change: { add, rewrapped } });
  held.keys = [...keys, add];
  for (let done = 0, isDone = false; !isDone;) {
    const step = await log.ask({ do: "continue rotation" });
    isDone = step.isDone;
    done = isDone ? total : Math.min(total, done + step.visited);
    onProgress({ done, total });
  }
  held.keys = [add];
  await log.ask({ do: "remove leftovers" });
}
