import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { pemCertificates } from "@heddle/identity/pem-certificates.ts";
import type { CertificateAndKey } from "@heddle/identity/certificate.ts";

/** Why a port cannot show this certificate, with what to do; undefined when it can. */
export function pairProblem(pair: CertificateAndKey, now: Date): string | undefined {
  const chain = readChain(pair.certificatePem);
  if (typeof chain === "string") return chain;
  const key = readKey(pair.keyPem);
  if (typeof key === "string") return key;
  const [leaf] = chain;
  if (leaf === undefined) return 'the certificate file holds no "-----BEGIN CERTIFICATE-----"';
  if (!leaf.checkPrivateKey(key))
    return "the key does not belong to the certificate; give both files of one pair, the server's certificate first";
  return lifeProblem(leaf, now) ?? opensslProblem(pair);
}

/** When the first of a chain to end does. */
export function endOfChain(certificatePem: string): Date {
  return new Date(Math.min(...pemCertificates(certificatePem).map((pem) => endOf(new X509Certificate(pem)).getTime())));
}

function readChain(pem: string): readonly X509Certificate[] | string {
  try {
    return pemCertificates(pem).map((each) => new X509Certificate(each));
  } catch {
    return "the certificate file holds a certificate that cannot be read";
  }
}

function readKey(pem: string): KeyObject | string {
  if (pem.includes("ENCRYPTED"))
    return "the key is encrypted; give one without a password, readable to this user alone";
  try {
    return createPrivateKey(pem);
  } catch {
    // The cause stays out: it might quote the key.
    return 'the key file holds no private key in PEM, such as "-----BEGIN PRIVATE KEY-----"';
  }
}

function lifeProblem(leaf: X509Certificate, now: Date): string | undefined {
  const [from, to] = [new Date(leaf.validFrom), endOf(leaf)];
  if (to <= now) return `the certificate ended at ${to.toISOString()}; renew it`;
  if (from > now) return `the certificate is valid from ${from.toISOString()} on only; compare the clocks`;
  return undefined;
}

/** What OpenSSL says, such as that a key is too small. */
function opensslProblem({ certificatePem, keyPem }: CertificateAndKey): string | undefined {
  try {
    createSecureContext({ cert: certificatePem, key: keyPem });
    return undefined;
  } catch (cause) {
    return `OpenSSL refuses it: ${(cause as Error).message}`;
  }
}

function endOf(certificate: X509Certificate): Date {
  return new Date(certificate.validTo);
}
