import { createCa, meshCaRequest } from "@heddle/identity/ca.ts";
import { issueCertificate } from "@heddle/identity/leaf.ts";
import { loadCa } from "@heddle/identity/load-ca.ts";

/** A certificate with its key, PEM. */
export interface Certificate {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** A certificate authority of mesh "default", for tests with real TLS. */
export async function meshCertificates(): Promise<{
  readonly authoritiesPem: string;
  readonly issue: (...uris: readonly string[]) => Promise<Certificate>;
}> {
  const now = new Date();
  const made = await createCa(meshCaRequest("default", "ecdsa-p256", now));
  const loaded = loadCa(made, now);
  if (!loaded.ok) throw new Error(`Cannot load the authority that was just made: ${JSON.stringify(loaded.violations)}`);
  return {
    authoritiesPem: made.certificatePem,
    issue: (...uris) =>
      issueCertificate(loaded.value, { uris, validitySeconds: 3_600, usages: ["server", "client"], now }),
  };
}
