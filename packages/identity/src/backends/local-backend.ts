import type { Ca } from "../ca.ts";
import { issueCertificate } from "../leaf.ts";
import { pemCertificates } from "../pem-certificates.ts";
import type { CaBackend } from "./backend.ts";

/** A backend whose key is here: it is always ready. */
export function localBackend(ca: Ca): CaBackend {
  return {
    state: { state: "ready" },
    roots: pemCertificates(ca.trustAnchorPem),
    issuer: pemCertificates(ca.certificatePem)[0],
    issue: (request) => issueCertificate(ca, request),
    close: () => undefined,
  };
}
