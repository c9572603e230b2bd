import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { AsnConvert } from "@peculiar/asn1-schema";
import * as x509 from "@peculiar/asn1-x509";
import type { Parsed, Violation } from "@heddle/model/violation.ts";
import type { Ca } from "./ca.ts";
import type { CertificateAndKey } from "./certificate.ts";
import { authorityKeyIdentifier } from "./extensions.ts";
import { signerFor } from "./signer.ts";

/** Where the two parts stand in what the user wrote, so that a violation points there. */
export interface CaPaths {
  readonly certificate: string;
  readonly key: string;
}

/**
 * Reads a CA: the issuing certificate first, its chain towards the root after it, and the issuing certificate's key.
 * What a mesh needs of it follows Kuma and the X.509-SVID rules: CA=true, keyCertSign, no keyAgreement, a key that
 * Envoy accepts, a pair that fits, valid now.
 */
export function loadCa(pair: CertificateAndKey, now: Date, paths: CaPaths = DEFAULT_PATHS): Parsed<Ca> {
  const chain = readChain(pair.certificatePem, paths.certificate);
  const key = readKey(pair.keyPem, paths.key);
  if (!chain.ok || !key.ok) return { ok: false, violations: [...violationsOf(chain), ...violationsOf(key)] };

  const violations = [
    ...chain.value.flatMap((link, index) => linkViolations(link, `${paths.certificate}[${index}]`, now)),
    ...chainViolations(chain.value, paths.certificate),
    ...keyViolations(chain.value, key.value, paths.key),
  ];
  return violations.length > 0 ? { ok: false, violations } : assemble(chain.value, key.value, paths);
}

const DEFAULT_PATHS: CaPaths = { certificate: "certificate", key: "key" };

/** One certificate of the chain, with the parts that Node does not show. */
interface Link {
  readonly certificate: X509Certificate;
  readonly subject: Uint8Array;
  readonly usage: readonly x509.KeyUsageType[];
  readonly keyIdentifier: Uint8Array | undefined;
}

function readChain(pem: string, field: string): Parsed<readonly Link[]> {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (blocks === null) return refuse(field, 'must be PEM and hold "-----BEGIN CERTIFICATE-----"');
  try {
    return { ok: true, value: blocks.map(readLink) };
  } catch {
    return refuse(field, "must hold X.509 certificates in PEM, but one of them cannot be read");
  }
}

function readLink(block: string): Link {
  const certificate = new X509Certificate(block);
  // OpenSSL takes dates that do not exist; nothing later could be said about such a certificate.
  if (Number.isNaN(certificate.validFromDate.getTime() + certificate.validToDate.getTime())) throw new Error("no date");
  const content = AsnConvert.parse(certificate.raw, x509.Certificate).tbsCertificate;
  const identifier = extensionOf(content, x509.id_ce_subjectKeyIdentifier, x509.SubjectKeyIdentifier);
  return {
    certificate,
    subject: new Uint8Array(AsnConvert.serialize(content.subject)),
    usage: extensionOf(content, x509.id_ce_keyUsage, x509.KeyUsage)?.toJSON() ?? [],
    keyIdentifier: identifier && new Uint8Array(identifier.buffer),
  };
}

function readKey(pem: string, field: string): Parsed<KeyObject> {
  try {
    return { ok: true, value: createPrivateKey(pem) };
  } catch {
    // The cause stays out of the message: it may quote what it could not read.
    return refuse(field, "must be a private key in PEM without a passphrase (PKCS#8, PKCS#1 or SEC1)");
  }
}

function linkViolations({ certificate, usage }: Link, field: string, now: Date): readonly Violation[] {
  const found: readonly (readonly [boolean, string])[] = [
    [!certificate.ca, "must be a CA certificate: basic constraint CA=true is missing"],
    [!usage.includes("keyCertSign"), 'must be allowed to sign certificates: key usage "keyCertSign" is missing'],
    [usage.includes("keyAgreement"), 'must not have the key usage "keyAgreement" (X.509-SVID, appendix A)'],
    [certificate.validFromDate > now, `must be valid now, but it begins at ${certificate.validFromDate.toISOString()}`],
    [certificate.validToDate <= now, `must be valid now, but it ended at ${certificate.validToDate.toISOString()}`],
  ];
  return found.filter(([wrong]) => wrong).map(([, message]) => ({ field, message }));
}

function chainViolations(chain: readonly Link[], field: string): readonly Violation[] {
  return chain.slice(1).flatMap(({ certificate: issuer }, index) => {
    const issued = chain[index]?.certificate;
    if (issued?.checkIssued(issuer) && issued.verify(issuer.publicKey)) return [];
    const message = `must be the issuer of ${field}[${index}]: put the issuing CA first and the root last`;
    return [{ field: `${field}[${index + 1}]`, message }];
  });
}

function keyViolations([first]: readonly Link[], key: KeyObject, field: string): readonly Violation[] {
  if (signerFor(key) === undefined) {
    return [{ field, message: "must be an RSA key of at least 2048 bits or an ECDSA key on P-256, P-384 or P-521" }];
  }
  if (first?.certificate.checkPrivateKey(key)) return [];
  return [{ field, message: "must be the private key of the first certificate, but the two do not belong together" }];
}

function assemble(chain: readonly Link[], key: KeyObject, paths: CaPaths): Parsed<Ca> {
  const [issuer] = chain;
  const anchor = chain.at(-1);
  const signer = signerFor(key);
  if (issuer === undefined || anchor === undefined) return refuse(paths.certificate, "must hold a certificate");
  if (signer === undefined) return refuse(paths.key, "must be able to sign certificates");
  return {
    ok: true,
    value: {
      certificatePem: pemOf(chain),
      intermediatesPem: pemOf(chain.slice(0, -1)),
      trustAnchorPem: pemOf([anchor]),
      fingerprint: issuer.certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
      notAfter: new Date(Math.min(...chain.map(({ certificate }) => certificate.validToDate.getTime()))),
      subject: issuer.subject,
      authorityKeyIdentifier: issuer.keyIdentifier && authorityKeyIdentifier(issuer.keyIdentifier),
      signer,
    },
  };
}

function pemOf(chain: readonly Link[]): string {
  return chain.map(({ certificate }) => certificate.toString()).join("");
}

function extensionOf<T>(content: x509.TBSCertificate, id: string, type: new () => T): T | undefined {
  const found = content.extensions?.find((extension) => extension.extnID === id);
  return found && AsnConvert.parse(found.extnValue, type);
}

function refuse(field: string, message: string): { readonly ok: false; readonly violations: readonly Violation[] } {
  return { ok: false, violations: [{ field, message }] };
}

function violationsOf(parsed: Parsed<unknown>): readonly Violation[] {
  return parsed.ok ? [] : parsed.violations;
}
