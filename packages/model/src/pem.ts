import { createPrivateKey, X509Certificate } from "node:crypto";

/** What a text in PEM holds that can be read. */
export interface PemFacts {
  readonly certificate: boolean;
  readonly key: boolean;
}

/** Looks into a text in PEM: Envoy refuses what cannot be read, so that is found out before. */
export function pemFacts(text: string): PemFacts {
  return { certificate: isCertificates(text), key: isKey(text) };
}

function isCertificates(text: string): boolean {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return blocks.length > 0 && blocks.every((block) => isReadable(() => new X509Certificate(block)));
}

function isKey(text: string): boolean {
  return /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text) && isReadable(() => createPrivateKey(text));
}

function isReadable(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}
