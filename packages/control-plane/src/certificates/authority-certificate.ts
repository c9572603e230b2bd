import { X509Certificate } from "node:crypto";

/** What people ask of a CA's certificate. */
export interface CertificateFigures {
  /** "CN=default, O=Heddle". */
  readonly subject: string;
  /** SHA-256, hexadecimal. */
  readonly fingerprint: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Reads a certificate in PEM that has been accepted before. */
export function certificateFigures(pem: string): CertificateFigures {
  const known = read.get(pem);
  if (known !== undefined) return known;
  const { subject, fingerprint256, validFromDate, validToDate } = new X509Certificate(pem);
  const figures = {
    // Node's types do not say that a certificate may have no subject, and gives undefined then.
    subject: ((subject as string | undefined) ?? "").split("\n").toReversed().join(", "),
    fingerprint: fingerprint256.replaceAll(":", "").toLowerCase(),
    notBefore: validFromDate,
    notAfter: validToDate,
  };
  if (read.size >= MOST_READ) read.clear();
  read.set(pem, figures);
  return figures;
}

// The same few are looked at again and again.
const read = new Map<string, CertificateFigures>();
const MOST_READ = 256;
