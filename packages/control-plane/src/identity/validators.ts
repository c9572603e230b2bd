import type { KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { readVerificationKey } from "@heddle/identity/signing-key.ts";
import type { TokenKind } from "@heddle/identity/token-kind.ts";
import type { PublicKey } from "../config/access-settings.ts";
import type { Config } from "../config/settings.ts";

/** How tokens of one kind are checked and issued. */
export interface Validator {
  /** Whether this control plane has signing keys of its own and issues tokens. */
  readonly issues: boolean;
  /** Whether the keys in the store count. */
  readonly useSecrets: boolean;
  /** Keys from the settings, by `kid`; for a mesh when the tokens belong to one. */
  readonly publicKeys: (mesh: string) => ReadonlyMap<string, KeyObject>;
}
export type Validators = Readonly<Record<TokenKind, Validator>>;

const FROM_STORE: Validator = { issues: true, useSecrets: true, publicKeys: () => new Map() };

/** All keys are in the store. */
export const STORE_ONLY: Validators = { user: FROM_STORE, dataplane: FROM_STORE, zone: FROM_STORE };

/** Reads the public keys that the settings name. Throws an Error that says which one is wrong. */
export async function readValidators(config: Config): Promise<Validators> {
  const user = await readKeys(config.userTokenPublicKeys, "apiServer.authn.tokens.validator.publicKeys");
  const dataplane = await readKeys(config.dpTokenPublicKeys, "dpServer.authn.dpProxy.dpToken.validator.publicKeys");
  return {
    zone: FROM_STORE,
    user: { issues: config.userTokenIssuer, useSecrets: config.userTokenSecrets, publicKeys: () => byKid(user) },
    dataplane: {
      issues: config.dpTokenIssuer,
      useSecrets: config.dpTokenSecrets,
      publicKeys: (mesh) => byKid(dataplane.filter((each) => each.mesh === mesh)),
    },
  };
}

interface ReadKey {
  readonly kid: string;
  readonly mesh: string | undefined;
  readonly key: KeyObject;
}

function byKid(keys: readonly ReadKey[]): ReadonlyMap<string, KeyObject> {
  return new Map(keys.map(({ kid, key }) => [kid, key]));
}

async function readKeys(keys: readonly PublicKey[], setting: string): Promise<readonly ReadKey[]> {
  return await Promise.all(
    keys.map(async ({ kid, key: text, keyFile = "", mesh }, index) => {
      const field = `${setting}[${index}]`;
      const pem =
        text ??
        (await readFile(keyFile, "utf8").catch((cause: unknown) => {
          throw new Error(`Cannot read ${field}.keyFile: ${(cause as Error).message}`, { cause });
        }));
      // Here only the public half is needed; a private key in a place meant for public ones would be read by too many.
      const isPrivate = pem.includes("PRIVATE KEY");
      const key = readVerificationKey(pem);
      if (!key.ok || isPrivate) {
        const fix = 'must be an RSA public key in PEM; "heddle generate public-key" makes it from the private one';
        throw new Error(`Cannot use ${field}: ${fix}`);
      }
      return { kid, mesh, key: key.value };
    }),
  );
}
