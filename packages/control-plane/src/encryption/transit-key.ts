import { readFile } from "node:fs/promises";
import { connectVault, type VaultRequest } from "@heddle/identity/backends/vault/connection.ts";
import { VaultSession } from "@heddle/identity/backends/vault/session.ts";
import { readVaultSettings, type VaultSettings } from "@heddle/identity/backends/vault/settings.ts";
import { dataSourceMeaning } from "@heddle/model/data-source.ts";
import type { KeyEncryptionKey } from "@heddle/store/local-key.ts";
import { z } from "zod";
import type { TransitSetting } from "../config/encryption-settings.ts";
import type { KeySource } from "./key-source.ts";

const TIMEOUT = 10_000;
const FIELD = "store.encryption.vault";

const encryptedSchema = z.object({ data: z.object({ ciphertext: z.string().min(1) }) });
const decryptedSchema = z.object({ data: z.object({ plaintext: z.base64() }) });

/** Runs a request to Vault; may wait and try again. */
export type Attempt = <T>(request: () => Promise<T>) => Promise<T>;

/** A key in Vault's transit engine, which never leaves it: Vault encrypts and decrypts, at starts and at rotations only. */
export function transitKey(setting: TransitSetting, attempt: Attempt): KeySource {
  const { mount = "transit", key } = setting;
  const place = `key "${key}" of Vault's transit engine "${mount}"`;
  const id = `vault:${mount}/${key}`;
  const ask = async <T>(action: "encrypt" | "decrypt", body: object, schema: z.ZodType<T>): Promise<T> =>
    await attempt(() => askVault(setting, { mount, action, key, body }, schema));
  const transit: KeyEncryptionKey = {
    id,
    wrap: async (dataKey) => {
      const body = { plaintext: Buffer.from(dataKey).toString("base64") };
      return { keyId: id, wrapped: (await ask("encrypt", body, encryptedSchema)).data.ciphertext };
    },
    unwrap: async ({ wrapped }) => {
      const { data } = await ask("decrypt", { ciphertext: wrapped }, decryptedSchema);
      return Buffer.from(data.plaintext, "base64");
    },
  };
  return { use: "vault", place, read: async () => [transit] };
}

interface Asked {
  readonly mount: string;
  readonly action: "encrypt" | "decrypt";
  readonly key: string;
  readonly body: object;
}

async function askVault<T>(
  setting: TransitSetting,
  { mount, action, key, body }: Asked,
  schema: z.ZodType<T>,
): Promise<T> {
  const settings = await readSettings(setting, mount, key);
  const connection = connectVault(settings);
  const session = new VaultSession(connection, settings, () => undefined);
  const request: VaultRequest = {
    method: "POST",
    path: `${mount}/${action}/${key}`,
    body,
    timeoutMillis: TIMEOUT,
    what: `to ${action} the data key of the store`,
  };
  try {
    return await session.json(request, schema);
  } finally {
    session.close();
    connection.close();
  }
}

// The transit engine is reached as the PKI engine of a mesh is: a mount, and a name behind it.
async function readSettings(setting: TransitSetting, mount: string, key: string): Promise<VaultSettings> {
  const { address, agentAddress, namespace, tls, auth } = setting;
  const conf = { address, agentAddress, namespace, tls, auth, pki: mount, role: key };
  const timeouts = { issueTimeout: TIMEOUT, chainTimeout: TIMEOUT };
  return await readVaultSettings(conf, timeouts, {
    field: FIELD,
    read: async (source, field) => {
      const meaning = dataSourceMeaning(source);
      if (meaning.from === "text") return meaning.text;
      if (meaning.from === "secret") throw new Error(`Cannot use ${field}: a Secret cannot be read yet`);
      return await readFile(meaning.path, "utf8").catch((cause: Error) => {
        throw new Error(`Cannot read ${field}: ${cause.message}; put it there`, { cause });
      });
    },
  });
}
