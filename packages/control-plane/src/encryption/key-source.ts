import type { KeyEncryptionKey } from "@heddle/store/local-key.ts";

/** A place where keys are that protect a store. */
export interface KeySource {
  /** As `store.encryption.use` has it. */
  readonly use: "vault" | "file" | "environment" | "generated";
  /** For messages: `file "/etc/heddle/key"`. */
  readonly place: string;
  /** Reads the keys anew, the one that encrypts first; none when there is none yet. Throws an Error that says what to do. */
  read(): Promise<readonly KeyEncryptionKey[]>;
  /** Makes another key that encrypts, where this is the source's own business. `read` then gives it first. */
  renew?(): Promise<void>;
  /** Forgets all keys but the first: nothing is encrypted with them any more. */
  forgetOld?(): Promise<void>;
}
