import { ObjectMemo } from "../memo.ts";
import type { ProxyTls, UpstreamTls } from "./mutual-tls.ts";

/** The secret with the authorities of every trust domain, each for its own domain alone. */
export const TRUST_BUNDLE = "system_trust_bundle";

/** What a client verifies the servers of a destination with. */
export interface ServerTrust {
  readonly secret: string;
  /** The secret holds the authorities of these trust domains alone. Absent: all that the proxy trusts. */
  readonly domains?: readonly string[];
}

/**
 * The authorities that may vouch for a destination's servers: those of their own trust domains. Envoy picks the bundle
 * by the first URI of a certificate and finds the expected identity in any, so with a bundle of all domains each could
 * speak for every other one in a second URI.
 */
export function serverTrust(tls: ProxyTls, upstream: UpstreamTls): ServerTrust {
  const key = tls.agent === undefined ? tls.trustSecret : `${tls.trustSecret} ${tls.identitySecret}`;
  return known.get(upstream, key, () => trustFor(tls, upstream));
}

// All proxies that call a service ask the same.
const known = new ObjectMemo<UpstreamTls, ServerTrust>();

function trustFor(tls: ProxyTls, { identities }: UpstreamTls): ServerTrust {
  const domains = [...new Set(identities.map(trustDomainOf))].toSorted();
  if (tls.agent !== undefined) return trustOfAgent(tls, domains);
  if (tls.trustSecret !== TRUST_BUNDLE || domains.length === 0) return { secret: tls.trustSecret };
  return { secret: `${TRUST_BUNDLE}:${domains.join(",")}`, domains };
}

// An agent refuses to serve a bundle that it lacks, and the proxy would wait for it: only its own is sure to be there.
function trustOfAgent({ identitySecret, trustSecret }: ProxyTls, domains: readonly string[]): ServerTrust {
  const own = trustDomainOf(identitySecret);
  return { secret: domains.join() === own ? bundleOfAgent(own) : trustSecret };
}

/** Whether a secret holds the authorities of some trust domains alone, as clients verify servers with. */
export function isServerTrust(secret: string): boolean {
  return secret.startsWith(`${TRUST_BUNDLE}:`);
}

/** How a SPIRE agent calls the authorities of one trust domain. */
export function bundleOfAgent(domain: string): string {
  return `spiffe://${domain}`;
}

/** The trust domain in a SPIFFE ID, such as "default" in "spiffe://default/web". */
export function trustDomainOf(id: string): string {
  return /^spiffe:\/\/([^/]*)/.exec(id)?.[1] ?? "";
}
