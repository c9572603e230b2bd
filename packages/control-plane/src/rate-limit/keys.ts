import type { CertificateAndKey } from "@heddle/identity/certificate.ts";
import { type DerivedRoot, derivedAuthority } from "@heddle/identity/derived-authority.ts";
import type { ProxyKey } from "@heddle/api/ports.ts";

/** Who may ask the rate limit service, and how it proves to be the one of these proxies. */
export interface RateLimitKeys {
  /** PEM of the authority of proxies that ask. */
  readonly callersPem: string;
  /** PEM of the authority of services that count. */
  readonly serversPem: string;
  /** What this control plane shows to proxies. */
  readonly server: CertificateAndKey;
  /** What a proxy shows when it asks: always the same, so that nothing is pushed after a restart. */
  certificateOf(proxy: ProxyKey): CertificateAndKey;
}

/** The name in the certificate of the service. */
export const SERVICE_URI = "heddle://rate-limit-service";
const CALLER_PREFIX = "heddle://rate-limit/";

/** The keys that follow from a root. */
export function rateLimitKeysFrom(root: DerivedRoot): RateLimitKeys {
  const callers = derivedAuthority(root, "rate-limit-callers");
  const servers = derivedAuthority(root, "rate-limit-servers");
  return {
    callersPem: callers.certificatePem,
    serversPem: servers.certificatePem,
    server: servers.issue(SERVICE_URI, "server"),
    certificateOf: ({ mesh, name }) => callers.issue(`${CALLER_PREFIX}${mesh}/${name}`, "client"),
  };
}

/** The proxy that a certificate names; undefined when it is not one of a proxy that asks. */
export function readCaller(uri: string): ProxyKey | undefined {
  if (!uri.startsWith(CALLER_PREFIX)) return undefined;
  const rest = uri.slice(CALLER_PREFIX.length);
  const slash = rest.indexOf("/");
  return slash <= 0 ? undefined : { mesh: rest.slice(0, slash), name: rest.slice(slash + 1) };
}
