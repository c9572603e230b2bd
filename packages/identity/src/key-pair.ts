import { generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";

/** The kinds of keys that certificates are made for. */
export type KeyType = "ecdsa-p256" | "rsa-2048" | "rsa-4096";

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const generate = promisify(generateKeyPair);

/** A new key pair, made in the thread pool: an RSA key takes up to seconds, an ECDSA key a fraction of a millisecond. */
export function generateKeys(type: KeyType): Promise<KeyPair> {
  switch (type) {
    case "ecdsa-p256":
      return generate("ec", { namedCurve: "P-256" });
    case "rsa-2048":
      return generate("rsa", { modulusLength: 2048 });
    case "rsa-4096":
      return generate("rsa", { modulusLength: 4096 });
  }
}

/** The private key as PKCS#8 PEM, the form that Envoy and Node read. */
export function privateKeyPem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

/** The public key as SubjectPublicKeyInfo, the form that a certificate holds. */
export function publicKeyDer(key: KeyObject): Buffer {
  return key.export({ type: "spki", format: "der" });
}
