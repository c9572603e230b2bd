import { checkVault, vaultSchema } from "@heddle/model/kinds/mesh-ca-vault.ts";
import type { Violation } from "@heddle/model/violation.ts";
import { z } from "zod";
import { choice, type Setting, text } from "./setting.ts";
import { structure } from "./structure.ts";

const NAME = /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/;

const vault = vaultSchema.pick({ address: true, agentAddress: true, namespace: true, tls: true, auth: true }).extend({
  mount: z.string().regex(NAME, { error: 'must be the path of a mount, such as "transit"' }).optional(),
  key: z.string().regex(NAME, { error: "must be the name of a key of the transit engine" }),
});

/** A key of Vault's transit engine, and how to get there. */
export type TransitSetting = z.infer<typeof vault>;

const structured = structure(vault, {
  path: "store.encryption.vault",
  variables: ["ENCRYPTION_VAULT"],
  description:
    "A key of Vault's transit engine: {address, key, mount (transit), namespace, tls, auth}, the last two as in a Mesh",
  // Never used: absent means that there is none.
  default: { address: "", key: "" } as TransitSetting,
});

const transit: Setting<TransitSetting | undefined> = {
  ...structured,
  default: undefined,
  // It may hold a token.
  secret: true,
  parse: (raw, field) => {
    const parsed = structured.parse(raw, field);
    if (!parsed.ok) return parsed;
    const vaultConf = { pki: "", role: "", ...parsed.value };
    const violations = [...checkVault(vaultConf, field), ...secretSources(parsed.value, field)];
    return violations.length === 0 ? parsed : { ok: false, violations };
  },
};

/** What protects the content of the store. */
export const ENCRYPTION_SETTINGS = {
  encryptionUse: choice(["auto", "vault", "file", "environment", "generated"], {
    path: "store.encryption.use",
    flag: "--encryption-use",
    variables: ["ENCRYPTION_USE"],
    description:
      "Which of the keys that are given encrypts, the others only decrypt; auto: the first of vault, file, environment, generated (a key made in the data folder)",
    default: "auto",
  }),
  encryptionKeyFile: text({
    path: "store.encryption.keyFile",
    flag: "--encryption-key-file",
    variables: ["ENCRYPTION_KEY_FILE"],
    description: "File with the key that protects the store: 32 bytes in base64; older keys below it, a line each",
    default: "",
  }),
  encryptionKey: text({
    path: "store.encryption.key",
    variables: ["ENCRYPTION_KEY"],
    description: "The key itself instead of a file, older ones behind commas; taken out of the environment when read",
    default: "",
    secret: true,
  }),
  encryptionVault: transit,
} as const;

/** A Secret is in the store, which this key opens. */
function secretSources({ tls, auth }: TransitSetting, field: string): Violation[] {
  const sources = {
    "tls.caCert": tls?.caCert,
    "tls.clientCert": tls?.clientCert,
    "tls.clientKey": tls?.clientKey,
    "auth.token": auth?.token,
    "auth.tls.clientCert": auth?.tls?.clientCert,
    "auth.tls.clientKey": auth?.tls?.clientKey,
  };
  const message = "must not be a Secret: those can be read only once this key is there; use file";
  return Object.entries(sources).flatMap(([path, source]) =>
    source?.secret === undefined ? [] : [{ field: `${field}.${path}.secret`, message }],
  );
}
