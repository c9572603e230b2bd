import { isIP } from "node:net";
import type { Parsed, Violation } from "@heddle/model/violation.ts";
import type { CertificateAndKey } from "./certificate.ts";
import { basicConstraints, extendedKeyUsage, keyUsage, subjectAlternativeName, type Usage } from "./extensions.ts";
import type { KeyType } from "./key-pair.ts";
import { createSelfSigned } from "./self-signed.ts";

/** A certificate for a control plane's port ("server") or for an operator who calls it ("client"). */
export interface ServerCertificateRequest {
  readonly usage: Usage;
  readonly commonName: string;
  /** Host names, wildcards such as `*.example.com`, and IP addresses. */
  readonly hosts: readonly string[];
  readonly keyType: KeyType;
  readonly validitySeconds: number;
  readonly now: Date;
}

/** Ten years: Kuma's life of a self-signed certificate. */
export const DEFAULT_SERVER_VALIDITY_SECONDS = 10 * 365 * 24 * 60 * 60;

/**
 * A self-signed certificate that is its own trust anchor. It is a CA as well, because a data plane proxy that was given
 * no CA trusts exactly the certificate it was served, and Kuma's bootstrap refuses to hand out one that is not a CA.
 * Violations are about `hosts`.
 */
export async function createServerCertificate(request: ServerCertificateRequest): Promise<Parsed<CertificateAndKey>> {
  const violations = request.hosts.flatMap(hostViolations);
  if (violations.length > 0) return { ok: false, violations };
  const { commonName, keyType, validitySeconds, now } = request;
  const extensions = extensionsOf(request);
  return {
    ok: true,
    value: await createSelfSigned({ name: { commonName }, keyType, validitySeconds, now, extensions }),
  };
}

function extensionsOf({ keyType, usage, hosts }: ServerCertificateRequest): readonly Uint8Array[] {
  const ips = hosts.filter((host) => isIP(host) !== 0);
  const dnsNames = hosts.filter((host) => isIP(host) === 0);
  const exchanges = keyType === "ecdsa-p256" ? [] : (["keyEncipherment"] as const);
  return [
    basicConstraints(true),
    keyUsage(["digitalSignature", ...exchanges, "keyCertSign"]),
    extendedKeyUsage([usage]),
    ...(hosts.length === 0 ? [] : [subjectAlternativeName({ dnsNames, ips }, false)]),
  ];
}

/** What is wrong with a host name or address for a certificate. */
export function hostViolations(host: string, index: number): readonly Violation[] {
  if (isIP(host) !== 0 && !host.includes("%")) return [];
  if (host.length <= 253 && HOST_NAME.test(host)) return [];
  const message = `must be a host name such as "cp.example.com" or an IP address, not ${JSON.stringify(host.slice(0, 300))}`;
  return [{ field: `hosts[${index}]`, message }];
}

const HOST_NAME = /^(\*\.)?[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*$/i;
