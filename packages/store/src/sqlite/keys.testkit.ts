import { createHash } from "node:crypto";
import type { KeyEncryption } from "../key-encryption.ts";
import { localKey } from "../local-key.ts";

/** Keys made of words: the first one encrypts, all decrypt. */
export function keysOf(...words: readonly string[]): KeyEncryption {
  const keys = words.map((word) => localKey(createHash("sha256").update(word).digest()));
  const [first] = keys;
  if (first === undefined) throw new RangeError("needs a word");
  return {
    wrap: (dataKey) => first.wrap(dataKey),
    isInForce: (id) => id === first.id,
    unwrap: async (wrapped) => {
      const key = keys.find(({ id }) => id === wrapped.keyId);
      if (key === undefined) throw new Error(`its key "${wrapped.keyId}" is not here; give it`);
      return await key.unwrap(wrapped);
    },
  };
}
