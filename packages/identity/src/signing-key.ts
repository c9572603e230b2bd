import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import type { Parsed } from "@heddle/model/violation.ts";

const generate = promisify(generateKeyPair);

/**
 * A new key to sign tokens with: RSA-2048 as PKCS#1 PEM ("RSA PRIVATE KEY"), which is the only form that Kuma reads, so
 * that a key can move between the two.
 */
export async function generateSigningKey(): Promise<string> {
  const { privateKey } = await generate("rsa", { modulusLength: 2048 });
  return privateKey.export({ type: "pkcs1", format: "pem" }).toString();
}

/** Reads a private signing key: PEM (PKCS#1 or PKCS#8), or the bare PKCS#1 bytes that old versions of Kuma stored. */
export function readSigningKey(data: string | Uint8Array, field = "signingKey"): Parsed<KeyObject> {
  try {
    return checked(isPem(data) ? createPrivateKey(textOf(data)) : fromBytes(data), field);
  } catch {
    // The cause stays out of the message: it may quote what it could not read.
    return refuse(field, `must be an RSA private key in PEM without a passphrase; ${HOW_TO_MAKE}`);
  }
}

/** Reads a key that tokens are verified with: a public key (PKCS#1 or SPKI PEM), or the private key it belongs to. */
export function readVerificationKey(data: string | Uint8Array, field = "publicKey"): Parsed<KeyObject> {
  try {
    return checked(isPem(data) ? createPublicKey(textOf(data)) : createPublicKey(fromBytes(data)), field);
  } catch {
    return refuse(
      field,
      'must be an RSA public key in PEM; "heddle generate public-key" makes it from the private one',
    );
  }
}

/** The public half of a signing key as PKCS#1 PEM ("RSA PUBLIC KEY"), the form that Kuma reads. */
export function publicKeyOf(signingKey: string | Uint8Array, field = "signingKey"): Parsed<string> {
  const key = readSigningKey(signingKey, field);
  if (!key.ok) return key;
  return { ok: true, value: createPublicKey(key.value).export({ type: "pkcs1", format: "pem" }).toString() };
}

const HOW_TO_MAKE = '"heddle generate signing-key" makes one';

function checked(key: KeyObject, field: string): Parsed<KeyObject> {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== "rsa") return refuse(field, `must be an RSA key, not ${key.asymmetricKeyType}`);
  if (bits < 2048) return refuse(field, `must have at least 2048 bits, not ${bits}; ${HOW_TO_MAKE}`);
  return { ok: true, value: key };
}

function fromBytes(data: string | Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.from(data), format: "der", type: "pkcs1" });
}

function isPem(data: string | Uint8Array): boolean {
  return textOf(data).includes("-----BEGIN ");
}

function textOf(data: string | Uint8Array): string {
  return typeof data === "string" ? data : Buffer.from(data).toString("latin1");
}

function refuse(
  field: string,
  message: string,
): { readonly ok: false; readonly violations: [{ field: string; message: string }] } {
  return { ok: false, violations: [{ field, message }] };
}
