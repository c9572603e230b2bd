import { sign, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { AsnConvert } from "@peculiar/asn1-schema";
import { AlgorithmIdentifier } from "@peculiar/asn1-x509";

/** A private key together with the way certificates are signed with it. */
export interface Signer {
  readonly key: KeyObject;
  /** Absent for Ed25519, which hashes in its own way. */
  readonly hash?: "sha256" | "sha384" | "sha512";
  /** The encoded AlgorithmIdentifier that says so in the certificate. */
  readonly algorithm: Uint8Array;
}

/** How to sign with this key, or undefined when Envoy would not accept the result (too short, or an unusual kind). */
export function signerFor(key: KeyObject): Signer | undefined {
  const details = key.asymmetricKeyDetails;
  if (key.asymmetricKeyType === "rsa" && (details?.modulusLength ?? 0) >= SMALLEST_RSA_BITS) {
    return { key, hash: "sha256", algorithm: SHA256_WITH_RSA };
  }
  const curve = CURVES.get(details?.namedCurve ?? "");
  return key.asymmetricKeyType === "ec" && curve !== undefined ? { key, ...curve } : undefined;
}

/** Signs with a P-256 key. */
export function ecdsaP256Signer(key: KeyObject): Signer {
  return { key, ...ECDSA_P256 };
}

/** The signature over these bytes. Runs in the thread pool, so that a slow RSA key does not hold up the event loop. */
export function signBytes(signer: Signer, bytes: Uint8Array): Promise<Buffer> {
  return signInThreadPool(signer.hash, bytes, signer.key);
}

/** The same in this thread: for Ed25519, whose signature takes less time than the way to the thread pool. */
export function signBytesNow(signer: Signer, bytes: Uint8Array): Buffer {
  return sign(signer.hash, bytes, signer.key);
}

/** Signs with Ed25519: the same bytes always get the same signature. Envoy takes no such key for itself (see signerFor). */
export function ed25519Signer(key: KeyObject): Signer {
  return { key, algorithm: algorithm("1.3.101.112") };
}

const signInThreadPool = promisify(sign);

const SMALLEST_RSA_BITS = 2048;

// RFC 4055 section 5 wants a NULL for the parameters of RSA, RFC 5758 section 3.2 wants them absent for ECDSA.
const SHA256_WITH_RSA = algorithm("1.2.840.113549.1.1.11", new Uint8Array([5, 0]).buffer);

const ECDSA_P256: Pick<Signer, "hash" | "algorithm"> = { hash: "sha256", algorithm: algorithm("1.2.840.10045.4.3.2") };

const CURVES: ReadonlyMap<string, Pick<Signer, "hash" | "algorithm">> = new Map([
  ["prime256v1", ECDSA_P256],
  ["secp384r1", { hash: "sha384", algorithm: algorithm("1.2.840.10045.4.3.3") }],
  ["secp521r1", { hash: "sha512", algorithm: algorithm("1.2.840.10045.4.3.4") }],
]);

function algorithm(objectIdentifier: string, parameters?: ArrayBuffer): Uint8Array {
  const identifier = new AlgorithmIdentifier({ algorithm: objectIdentifier, ...(parameters && { parameters }) });
  return new Uint8Array(AsnConvert.serialize(identifier));
}
