import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** A key that tokens are signed with, as an issuer has it. */
export interface IssuerKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** A new RSA key. */
export function issuerKey(kid: string): IssuerKey {
  return { kid, ...generateKeyPairSync("rsa", { modulusLength: 2048 }) };
}

/** What the issuer publishes of its keys. */
export function jwksOf(...keys: readonly IssuerKey[]): string {
  return JSON.stringify({
    keys: keys.map(({ kid, publicKey }) => ({ ...publicKey.export({ format: "jwk" }), kid, use: "sig" })),
  });
}

/** A token as an issuer signs it. */
export function token({ kid, privateKey }: IssuerKey, claims: object): string {
  const text = unsigned({ alg: "RS256", kid, typ: "JWT" }, claims);
  return `${text}.${sign("sha256", Buffer.from(text), privateKey).toString("base64url")}`;
}

/** A forgery that says it needs no signature. */
export function tokenWithoutSignature(alg: string, claims: object): string {
  return `${unsigned({ alg, typ: "JWT" }, claims)}.`;
}

/** A forgery for whoever takes the issuer's public key, which everybody knows, for a shared secret. */
export function tokenBySharedSecret({ kid, publicKey }: IssuerKey, claims: object): string {
  const text = unsigned({ alg: "HS256", kid, typ: "JWT" }, claims);
  const secret = publicKey.export({ format: "pem", type: "spki" });
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

function unsigned(header: object, claims: object): string {
  return [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
}
