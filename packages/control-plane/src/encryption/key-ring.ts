import type { KeyEncryption, WrappedKey } from "@heddle/store/key-encryption.ts";
import type { KeyEncryptionKey } from "@heddle/store/local-key.ts";
import type { KeySource } from "./key-source.ts";

/** All keys that were given: the first key of the first source encrypts, all decrypt. */
export class KeyRing implements KeyEncryption {
  readonly #sources: readonly KeySource[];
  #keys: readonly KeyEncryptionKey[] = [];
  #first: KeyEncryptionKey | undefined;

  /** At least one source; the first one is in force. Read them before anything else. */
  constructor(sources: readonly KeySource[]) {
    this.#sources = sources;
  }

  /** Where the key is that encrypts. */
  get source(): KeySource {
    const [source] = this.#sources;
    if (source === undefined) throw new RangeError("a key ring needs a source");
    return source;
  }

  /** The id of the key that encrypts; undefined while none was made. */
  get keyId(): string | undefined {
    return this.#first?.id;
  }

  /** Reads all sources anew. */
  async read(): Promise<void> {
    const found = await Promise.all(this.#sources.map((source) => source.read()));
    this.#keys = found.flat();
    this.#first = found[0]?.[0];
  }

  isInForce(keyId: string): boolean {
    return this.#first?.id === keyId;
  }

  async wrap(dataKey: Uint8Array): Promise<WrappedKey> {
    // Asked for only when the store has no key, or has opened with one: never beside a store that cannot be opened.
    if (this.#first === undefined) {
      await this.source.renew?.();
      await this.read();
    }
    if (this.#first === undefined) throw new Error(`Cannot encrypt the store: there is no key in ${this.source.place}`);
    return await this.#first.wrap(dataKey);
  }

  async unwrap(wrapped: WrappedKey): Promise<Uint8Array> {
    const key = this.#keys.find(({ id }) => id === wrapped.keyId);
    if (key !== undefined) return await key.unwrap(wrapped);
    const known = this.#keys.map(({ id }) => `"${id}"`).join(", ") || "none";
    const next = wrapped.keyId.startsWith("vault:")
      ? "name that key of Vault in store.encryption.vault"
      : `put the key back into "${this.#generated()}" if it was there, or give it with --encryption-key-file / HEDDLE_ENCRYPTION_KEY`;
    throw new Error(
      `it is encrypted with key "${wrapped.keyId}", and the keys here are ${known}; ${next}. Without it nobody can read the store`,
    );
  }

  #generated(): string {
    return (
      this.#sources.find(({ use }) => use === "generated")?.place.replace(/^file "(.*)"$/, "$1") ?? "encryption.key"
    );
  }
}
