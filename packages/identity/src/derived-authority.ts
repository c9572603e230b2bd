import { createECDH, createPrivateKey, createPublicKey, hkdfSync, type KeyObject } from "node:crypto";
import { type CertificateAndKey, type CertificateContent, signCertificateNow } from "./certificate.ts";
import { distinguishedName } from "./distinguished-name.ts";
import {
  basicConstraints,
  extendedKeyUsage,
  keyIdentifierOf,
  keyUsage,
  subjectAlternativeName,
  subjectKeyIdentifier,
  type Usage,
} from "./extensions.ts";
import { privateKeyPem, publicKeyDer } from "./key-pair.ts";
import { ed25519Signer } from "./signer.ts";

/** What a derived authority is made from: the same root and name give the same authority, bit by bit. */
export interface DerivedRoot {
  /** 32 secret random bytes. */
  readonly seed: Uint8Array;
  /** Everything is valid from here on for ten years. */
  readonly created: Date;
}

/**
 * An authority that keeps nothing: its key and every key and certificate that it issues follow from one secret. Who asks
 * again, after a restart or at another control plane with that secret, gets the same bytes.
 */
export interface DerivedAuthority {
  readonly certificatePem: string;
  /** The certificate of this URI and its key, ECDSA P-256, signed with Ed25519. */
  issue(uri: string, usage: Usage): CertificateAndKey;
}

/** The authority of this name under a root; authorities of different names know nothing of each other. */
export function derivedAuthority(root: DerivedRoot, name: string): DerivedAuthority {
  const key = ed25519Key(derive(root, `${name}/authority`, ED25519_BYTES));
  const signer = ed25519Signer(key);
  const subject = distinguishedName({ organization: "Heddle", commonName: name });
  const content = (label: string, subjectKey: KeyObject): Omit<CertificateContent, "extensions" | "subject"> => ({
    serial: derive(root, `${name}/serial/${label}`, SERIAL_BYTES),
    issuer: subject,
    publicKey: publicKeyDer(createPublicKey(subjectKey)),
    notBefore: root.created,
    notAfter: new Date(root.created.getTime() + LIFE_MILLIS),
  });
  const own = content("", key);
  return {
    certificatePem: signCertificateNow({ ...own, subject, extensions: authorityExtensions(own.publicKey) }, signer),
    issue: (uri, usage) => {
      const leafKey = p256Key(derive(root, `${name}/leaf/${usage}/${uri}`, P256_BYTES));
      const leaf = { ...content(`${usage}/${uri}`, leafKey), subject: distinguishedName({}) };
      const extensions = leafExtensions(uri, usage);
      return {
        certificatePem: signCertificateNow({ ...leaf, extensions }, signer),
        keyPem: privateKeyPem(leafKey),
      };
    },
  };
}

const ED25519_BYTES = 32;
const SERIAL_BYTES = 16;
/** 128 bits more than the order of the curve: the remainder then favours no key (FIPS 186-5, A.2.1). */
const P256_BYTES = 48;
const LIFE_MILLIS = 10 * 365 * 24 * 3_600_000;

function derive({ seed }: DerivedRoot, label: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync("sha256", seed, "", `heddle/${label}`, bytes));
}

/** RFC 8410, section 7: what precedes the 32 bytes of a private key in PKCS#8. */
const ED25519_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

function ed25519Key(secret: Buffer): KeyObject {
  return createPrivateKey({ key: Buffer.concat([ED25519_PREFIX, secret]), format: "der", type: "pkcs8" });
}

/** FIPS 186-5: the number of points of the curve P-256. */
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

function p256Key(random: Buffer): KeyObject {
  const scalar = (BigInt(`0x${random.toString("hex")}`) % (P256_ORDER - 1n)) + 1n;
  const secret = Buffer.from(scalar.toString(16).padStart(64, "0"), "hex");
  const curve = createECDH("prime256v1");
  curve.setPrivateKey(secret);
  // The first byte says that both coordinates follow, 32 bytes each.
  const point = curve.getPublicKey();
  const text = (bytes: Buffer): string => bytes.toString("base64url");
  const [d, x, y] = [text(secret), text(point.subarray(1, 33)), text(point.subarray(33))];
  return createPrivateKey({ format: "jwk", key: { kty: "EC", crv: "P-256", d, x, y } });
}

function authorityExtensions(publicKey: Uint8Array): readonly Uint8Array[] {
  return [
    basicConstraints(true),
    keyUsage(["keyCertSign", "cRLSign"]),
    subjectKeyIdentifier(keyIdentifierOf(publicKey)),
  ];
}

function leafExtensions(uri: string, usage: Usage): readonly Uint8Array[] {
  return [
    basicConstraints(false),
    keyUsage(["digitalSignature"]),
    extendedKeyUsage([usage]),
    subjectAlternativeName({ uris: [uri] }, true),
  ];
}
