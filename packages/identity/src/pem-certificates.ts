import { X509Certificate } from "node:crypto";

/** Every certificate of a text in PEM, in its order, as Node writes PEM. Throws when one cannot be read. */
export function pemCertificates(text: string): readonly string[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block).toString());
}

/** Whether a certificate is signed with its own key: the end of a chain. */
export function isSelfSigned(pem: string): boolean {
  const certificate = new X509Certificate(pem);
  return certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey);
}
