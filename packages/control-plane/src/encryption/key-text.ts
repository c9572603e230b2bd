import { type KeyEncryptionKey, LOCAL_KEY_BYTES, localKey } from "@heddle/store/local-key.ts";

const EXAMPLE = "openssl rand -base64 32";

/**
 * Reads keys in base64, separated by line ends or commas; lines that begin with # are comments. Throws an Error that
 * names the place and never the text.
 */
export function readKeys(text: string, place: string): readonly KeyEncryptionKey[] {
  const words = text
    .split(/[\n,]/)
    .map((word) => word.trim())
    .filter((word) => word !== "" && !word.startsWith("#"));
  if (words.length === 0) throw new Error(`Cannot use the encryption key of ${place}: it is empty; ${makeOne()}`);
  return words.map((word, index) => readKey(word, words.length === 1 ? place : `${place}, number ${index + 1}`));
}

function readKey(word: string, place: string): KeyEncryptionKey {
  const bytes = Buffer.from(word, "base64");
  const isBase64 = /^[A-Za-z0-9+/]+=*$/.test(word);
  if (isBase64 && bytes.length === LOCAL_KEY_BYTES) return localKey(bytes);
  const state = isBase64 ? `it has ${bytes.length} bytes` : "it is not base64";
  const wanted = `a key is ${LOCAL_KEY_BYTES} bytes in base64`;
  throw new Error(`Cannot use the encryption key of ${place}: ${state}, and ${wanted}; ${makeOne()}`);
}

function makeOne(): string {
  return `make one with: ${EXAMPLE}`;
}
