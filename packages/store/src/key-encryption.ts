/** A data key as it lies in the store, and the id of the key that it is encrypted with. */
export interface WrappedKey {
  readonly keyId: string;
  readonly wrapped: string;
}

/** The key from outside of the store that protects the store's data keys: in a file, in the environment, in Vault. */
export interface KeyEncryption {
  /** Encrypts a data key with the key that is in force now. */
  wrap(dataKey: Uint8Array): Promise<WrappedKey>;
  /** Throws an Error whose message is the state and what to do: `its key "x" is not here; ...`. */
  unwrap(key: WrappedKey): Promise<Uint8Array>;
  /** Whether `wrap` would use this key. */
  isInForce(keyId: string): boolean;
}
