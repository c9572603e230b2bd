import { createServerCertificate } from "@heddle/identity/server-certificate.ts";

/** A certificate for localhost that trusts itself. */
export async function testCertificate(): Promise<{ readonly cert: string; readonly key: string }> {
  const made = await createServerCertificate({
    usage: "server",
    commonName: "localhost",
    hosts: ["localhost", "127.0.0.1"],
    keyType: "ecdsa-p256",
    validitySeconds: 3_600,
    now: new Date(),
  });
  if (!made.ok) throw new Error(`Cannot make a certificate: ${JSON.stringify(made.violations)}`);
  return { cert: made.value.certificatePem, key: made.value.keyPem };
}
