import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";

/** Data keys by number: the newest one encrypts, all decrypt. */
export type DataKeys = ReadonlyMap<number, Uint8Array>;

/** What a sealed text belongs to: put anywhere else, it cannot be opened. */
export interface SealPlace {
  readonly type: string;
  readonly mesh: string;
  readonly name: string;
  readonly version: number;
}

/** How everything sealed begins; content that is not sealed is a JSON object. */
export const SEAL_MARK = "sealed:";
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = SALT_BYTES + NONCE_BYTES;

/** The beginning of every text that was sealed with this data key. */
export function sealMark(keyNumber: number): string {
  return `${SEAL_MARK}${keyNumber}:`;
}

/** The number of the key that encrypts; throws RangeError when there is none. */
export function newestKey(keys: DataKeys): number {
  if (keys.size === 0) throw new RangeError("there is no data key");
  return Math.max(...keys.keys());
}

/**
 * Encrypts a text for its place, by AES-256-GCM. Each text has a key of its own, derived from the data key and a random
 * salt: random nonces of one key are good for 2^32 texts only, which insights of proxies write in a year or two.
 */
export function seal(keys: DataKeys, place: SealPlace, text: string): string {
  const number = newestKey(keys);
  const head = randomBytes(HEAD_BYTES);
  const cipher = createCipheriv("aes-256-gcm", textKey(keys, number, head), head.subarray(SALT_BYTES));
  cipher.setAAD(boundTo(place));
  const sealed = Buffer.concat([head, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return `${sealMark(number)}${sealed.toString("base64")}`;
}

/** Decrypts what `seal` made for this place. Throws as a damaged file does: SQLite's SQLITE_CORRUPT. */
export function unseal(keys: DataKeys, place: SealPlace, sealed: string): string {
  const [, number = "", base64 = ""] = /^sealed:(\d{1,9}):([A-Za-z0-9+/=]+)$/.exec(sealed) ?? [];
  const bytes = Buffer.from(base64, "base64");
  if (!keys.has(Number(number)) || bytes.length < HEAD_BYTES + TAG_BYTES) throw foreign(place);
  const end = bytes.length - TAG_BYTES;
  const key = textKey(keys, Number(number), bytes.subarray(0, HEAD_BYTES));
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(SALT_BYTES, HEAD_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(boundTo(place));
  decipher.setAuthTag(bytes.subarray(end));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(HEAD_BYTES, end)), decipher.final()]).toString("utf8");
  } catch {
    throw foreign(place);
  }
}

function textKey(keys: DataKeys, number: number, head: Buffer): Buffer {
  const salt = head.subarray(0, SALT_BYTES);
  return createHmac("sha256", keys.get(number) ?? "")
    .update(salt)
    .digest();
}

function boundTo({ type, mesh, name, version }: SealPlace): Buffer {
  return Buffer.from(JSON.stringify([type, mesh, name, version]));
}

const SQLITE_CORRUPT = 11;

/** An error as SQLite has it for a damaged file. */
export function damaged(what: string): Error {
  return Object.assign(new Error(what), { errcode: SQLITE_CORRUPT });
}

function foreign({ type, mesh, name }: SealPlace): Error {
  return damaged(`the content of ${type} "${name}" of mesh "${mesh}" was altered, or belongs to another row`);
}
