import { generateKeyPairSync } from "node:crypto";
import type { Ca } from "./ca.ts";
import { lifetime, randomSerial, serialText, signCertificate, type CertificateAndKey } from "./certificate.ts";
import { distinguishedName } from "./distinguished-name.ts";
import {
  basicConstraints,
  extendedKeyUsage,
  keyIdentifierOf,
  keyUsage,
  subjectAlternativeName,
  subjectKeyIdentifier,
  type AlternativeNames,
  type Usage,
} from "./extensions.ts";

/** What a workload's certificate shall say. At least one name is needed: the subject is usually empty. */
export interface CertificateRequest extends AlternativeNames {
  readonly uris: readonly string[];
  readonly commonName?: string | undefined;
  readonly validitySeconds: number;
  readonly usages: readonly Usage[];
  readonly now: Date;
}

/** A leaf followed by its intermediates, its key, and what its owner has to know to renew it in time. */
export interface IssuedCertificate extends CertificateAndKey {
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Upper-case hexadecimal, as Node and OpenSSL print it. */
  readonly serial: string;
}

/**
 * Issues a certificate for a new ECDSA P-256 key. It ends with the CA at the latest: a leaf that outlives its issuer
 * would look valid to whoever decides when to renew, and fail in every handshake. Throws when there is no name, or when
 * the CA has ended.
 */
export async function issueCertificate(ca: Ca, request: CertificateRequest): Promise<IssuedCertificate> {
  const { notBefore, notAfter } = lifeWithin(ca, request);
  const serial = randomSerial();
  const keys = newKeys();
  const leafPem = await signCertificate(
    {
      serial,
      issuer: ca.subject,
      subject: distinguishedName({ commonName: request.commonName }),
      notBefore,
      notAfter,
      publicKey: keys.publicKey,
      extensions: extensionsOf(ca, request, keys.publicKey),
    },
    ca.signer,
  );
  return {
    certificatePem: leafPem + ca.intermediatesPem,
    keyPem: keys.privateKey,
    notBefore,
    notAfter,
    serial: serialText(serial),
  };
}

function lifeWithin(ca: Ca, request: CertificateRequest): { readonly notBefore: Date; readonly notAfter: Date } {
  const wanted = lifetime(request.now, request.validitySeconds);
  const notAfter = wanted.notAfter < ca.notAfter ? wanted.notAfter : ca.notAfter;
  if (notAfter > request.now) return { notBefore: wanted.notBefore, notAfter };
  throw new Error(
    ca.notAfter <= request.now
      ? `Cannot issue a certificate: the CA ended at ${ca.notAfter.toISOString()}, replace it first`
      : `Cannot issue a certificate: a validity of ${request.validitySeconds} seconds would end before it begins`,
  );
}

/** In this thread on purpose: a P-256 key takes 0.05 ms, the way to the thread pool and back costs three times that. */
function newKeys(): { readonly publicKey: Buffer; readonly privateKey: string } {
  return generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
}

function extensionsOf(ca: Ca, request: CertificateRequest, publicKey: Uint8Array): readonly Uint8Array[] {
  const { uris, dnsNames = [], ips = [], commonName = "" } = request;
  if (uris.length + dnsNames.length + ips.length === 0) {
    throw new Error("Cannot issue a certificate: it would stand for nobody, give at least one URI, DNS name or IP");
  }
  return [
    NOT_A_CA,
    SIGNS_HANDSHAKES,
    extendedKeyUsage(request.usages),
    subjectKeyIdentifier(keyIdentifierOf(publicKey)),
    ...(ca.authorityKeyIdentifier === undefined ? [] : [ca.authorityKeyIdentifier]),
    subjectAlternativeName({ uris, dnsNames, ips }, commonName === ""),
  ];
}

const NOT_A_CA = basicConstraints(false);
const SIGNS_HANDSHAKES = keyUsage(["digitalSignature"]);
