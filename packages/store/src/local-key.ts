import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import type { WrappedKey } from "./key-encryption.ts";

/** One key that encrypts data keys. */
export interface KeyEncryptionKey {
  /** Tells keys apart, and tells nothing else of them. */
  readonly id: string;
  wrap(dataKey: Uint8Array): Promise<WrappedKey>;
  unwrap(key: WrappedKey): Promise<Uint8Array>;
}

/** Bytes of a key for AES-256. */
export const LOCAL_KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A key that is here, used by AES-256-GCM. Its id begins with "aes-". */
export function localKey(key: Uint8Array): KeyEncryptionKey {
  if (key.length !== LOCAL_KEY_BYTES) throw new RangeError(`a key must have ${LOCAL_KEY_BYTES} bytes`);
  const id = `aes-${createHash("sha256").update("heddle encryption key id\0").update(key).digest("hex").slice(0, 16)}`;
  return {
    id,
    wrap: async (dataKey) => ({ keyId: id, wrapped: encrypt(key, id, dataKey).toString("base64") }),
    unwrap: async ({ wrapped }) => decrypt(key, id, Buffer.from(wrapped, "base64")),
  };
}

function encrypt(key: Uint8Array, id: string, dataKey: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(Buffer.from(id));
  return Buffer.concat([nonce, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: Uint8Array, id: string, wrapped: Buffer): Buffer {
  try {
    const end = wrapped.length - TAG_BYTES;
    const decipher = createDecipheriv("aes-256-gcm", key, wrapped.subarray(0, NONCE_BYTES));
    decipher.setAAD(Buffer.from(id));
    decipher.setAuthTag(wrapped.subarray(end));
    return Buffer.concat([decipher.update(wrapped.subarray(NONCE_BYTES, end)), decipher.final()]);
  } catch (cause) {
    throw new Error(`its data key was altered; restore it from a backup`, { cause });
  }
}
