import { hostname, networkInterfaces } from "node:os";
import { createServerCertificate, DEFAULT_SERVER_VALIDITY_SECONDS } from "@heddle/identity/server-certificate.ts";
import type { Ca } from "@heddle/identity/ca.ts";
import type { CertificateAndKey } from "@heddle/identity/certificate.ts";
import { loadCa } from "@heddle/identity/load-ca.ts";
import type { Secrets } from "../secrets.ts";

/** Its name is of a time when this very certificate was shown. */
const SECRET = "control-plane-server-certificate";

/**
 * The authority of the certificates of a control plane's ports when the operator gives none. It is made once and kept in
 * the store: proxies were told to trust it, so another one after a restart would lock them out.
 */
export async function ownAuthority(secrets: Secrets, now: Date): Promise<Ca> {
  const stored = await secrets.ensure("", SECRET, () => newAuthority(now));
  const ca = loadCa(JSON.parse(stored) as CertificateAndKey, now);
  if (ca.ok) return ca.value;
  const reasons = ca.violations.map(({ field, message }) => `${field} ${message}`).join("; ");
  const fix = `give certificates with --tls-cert-file, or delete it, then start again: all proxies have to get the new ca.pem`;
  throw new Error(`Cannot use GlobalSecret "${SECRET}": ${reasons}; ${fix}`);
}

async function newAuthority(now: Date): Promise<string> {
  const made = await createServerCertificate({
    usage: "server",
    commonName: "heddle-control-plane",
    hosts: [],
    keyType: "ecdsa-p256",
    validitySeconds: DEFAULT_SERVER_VALIDITY_SECONDS,
    now,
  });
  if (!made.ok) throw new Error(`Cannot make an authority for the ports: ${JSON.stringify(made.violations)}`);
  return JSON.stringify(made.value);
}

/** The names and addresses of this machine, for the certificates of its ports. */
export function ownHosts(): readonly string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address));
  const routable = addresses.filter((address) => !address.toLowerCase().startsWith("fe80:"));
  const name = hostname();
  return ["localhost", "127.0.0.1", "::1", ...(/^[A-Za-z0-9.-]+$/.test(name) ? [name] : []), ...routable];
}
