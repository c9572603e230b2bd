import { X509Certificate } from "node:crypto";
import type { CertificateRequest, IssuedCertificate } from "../../leaf.ts";
import { isSelfSigned, pemCertificates } from "../../pem-certificates.ts";
import { anchorsOf } from "../../trusted-roots.ts";
import { AuthorityFailure } from "./authority-failure.ts";

/** What an authority gave: a certificate, its key wherever that was made, and the authorities above, PEM. */
export interface Given {
  readonly certificate: string;
  readonly keyPem: string;
  readonly chain: readonly string[];
}

/** How an authority is called in messages, and what to look at when it leaves something out. */
export interface Giver {
  readonly name: string;
  readonly onMissingNames: string;
  readonly onMissingUsages: (usages: CertificateRequest["usages"]) => string;
}

/** Whether what was given is what was asked for; throws AuthorityFailure. */
export function checkIssued(
  { certificate, keyPem, chain }: Given,
  { uris, usages }: CertificateRequest,
  giver: Giver,
): IssuedCertificate {
  const leaf = readCertificate(certificate, giver.name);
  const names = (leaf.subjectAltName ?? "").split(", ");
  const missing = uris.filter((uri) => !names.includes(`URI:${uri}`));
  if (missing.length > 0) {
    throw refused(`${giver.name} issued a certificate without ${missing.join(", ")}; ${giver.onMissingNames}`);
  }
  const allowed: readonly string[] = leaf.keyUsage ?? [];
  const lacking = usages.filter((usage) => allowed.length > 0 && !allowed.includes(OIDS[usage]));
  if (lacking.length > 0) {
    const what = `a certificate that is not for ${lacking.join(" and ")} use`;
    throw refused(`${giver.name} issued ${what}; ${giver.onMissingUsages(lacking)}`);
  }
  if (!leadsTo(leaf, chain))
    throw refused(`${giver.name} issued a certificate that the authority it tells of did not sign`);
  return {
    certificatePem: leaf.toString() + chain.filter((each) => !isSelfSigned(each)).join(""),
    keyPem,
    notBefore: leaf.validFromDate,
    notAfter: leaf.validToDate,
    serial: leaf.serialNumber,
  };
}

// Extended key usages of RFC 5280; Node shows them so.
const OIDS: Readonly<Record<CertificateRequest["usages"][number], string>> = {
  server: "1.3.6.1.5.5.7.3.1",
  client: "1.3.6.1.5.5.7.3.2",
};

/** Whether signatures lead from a certificate to what proxies will trust. */
function leadsTo(leaf: X509Certificate, chain: readonly string[]): boolean {
  const anchors = anchorsOf(chain);
  const left = new Set(chain.map((pem) => new X509Certificate(pem)));
  let current = leaf;
  while (!anchors.includes(current.toString())) {
    const below = current;
    const issuer = [...left].find((each) => below.checkIssued(each) && below.verify(each.publicKey));
    if (issuer === undefined) return false;
    left.delete(issuer);
    current = issuer;
  }
  return true;
}

// Real chains have two or three; reading a thousand would keep others waiting.
const LONGEST_CHAIN = 20;
const LONGEST_TEXT = 262_144;

/** The certificates in the texts of an answer, PEM; throws AuthorityFailure when one cannot be read, or there are too many. */
export function chainIn(texts: readonly string[], who: string): readonly string[] {
  const length = texts.reduce((sum, text) => sum + text.length, 0);
  const many = texts.join("").split("-----BEGIN CERTIFICATE-----", LONGEST_CHAIN + 2).length > LONGEST_CHAIN + 1;
  if (many || length > LONGEST_TEXT) throw refused(`${who} sent a chain of more than ${LONGEST_CHAIN} certificates`);
  return readable(() => texts.flatMap(pemCertificates), who);
}

function readCertificate(pem: string, who: string): X509Certificate {
  const certificate = readable(() => new X509Certificate(pem), who);
  // OpenSSL takes dates that do not exist; nothing later could be said about such a certificate.
  if (Number.isFinite(certificate.validFromDate.getTime() + certificate.validToDate.getTime())) return certificate;
  throw refused(`${who} issued a certificate whose dates do not exist`);
}

function readable<T>(read: () => T, who: string): T {
  try {
    return read();
  } catch (cause) {
    const message = `${who}'s answer to a request for a certificate holds none that can be read`;
    throw new AuthorityFailure("refused", message, { cause });
  }
}

function refused(message: string): AuthorityFailure {
  return new AuthorityFailure("refused", message);
}
