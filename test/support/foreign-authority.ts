import { request } from "node:https";
import { createCa } from "@heddle/identity/ca.ts";
import { issueCertificate } from "@heddle/identity/leaf.ts";
import { loadCa } from "@heddle/identity/load-ca.ts";

/** An authority of another trust domain that signs whatever it is asked to. */
export async function authority(domain: string) {
  const now = new Date();
  const made = await createCa({
    keyType: "ecdsa-p256",
    validitySeconds: 3_600,
    now,
    commonName: domain,
    uri: `spiffe://${domain}`,
  });
  const ca = loadCa(made, now);
  if (!ca.ok) throw new Error(`Cannot load the authority of ${domain}: ${JSON.stringify(ca.violations)}`);
  const issue = (...uris: readonly string[]) =>
    issueCertificate(ca.value, { uris, validitySeconds: 600, usages: ["server", "client"], now: new Date() });
  return { pem: made.certificatePem, issue };
}

/** What a caller with a certificate gets: the status and body, or the reason why there is no connection. */
export async function callWith(port: number, { certificatePem, keyPem }: { certificatePem: string; keyPem: string }) {
  const { promise, resolve } = Promise.withResolvers<string>();
  const asked = request(
    { port, host: "127.0.0.1", cert: certificatePem, key: keyPem, rejectUnauthorized: false, agent: false },
    (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("end", () => resolve(`${response.statusCode} ${body}`));
    },
  );
  asked.on("error", () => resolve("refused"));
  asked.end();
  return await promise;
}
