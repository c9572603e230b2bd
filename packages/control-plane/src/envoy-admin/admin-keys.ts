import { randomBytes } from "node:crypto";
import type { CertificateAndKey } from "@heddle/identity/certificate.ts";
import { type DerivedRoot, derivedAuthority } from "@heddle/identity/derived-authority.ts";
import { z } from "zod";
import type { Secrets } from "../secrets.ts";

/** Who may look into proxies, and how a proxy proves to be the one that was asked. */
export interface AdminKeys {
  /** PEM of the authority of callers: only control planes over this store hold a certificate of it. */
  readonly callersPem: string;
  /** PEM of the authority of proxies. */
  readonly proxiesPem: string;
  /** What this control plane shows when it calls. */
  readonly caller: CertificateAndKey;
  /** What a proxy shows when it is called: always the same, so that nothing is pushed after a restart. */
  certificateOf(mesh: string, name: string): CertificateAndKey;
}

const SECRET = "control-plane-envoy-admin";
const SEED_BYTES = 32;

const stored = z.strictObject({
  seed: z.base64().refine((text) => seedOf(text).length === SEED_BYTES),
  created: z.iso.datetime(),
});

/** Reads from the store, where it is made once, what all keys between control planes and proxies follow from. */
export async function adminRoot(secrets: Secrets, now: Date): Promise<DerivedRoot> {
  const text = await secrets.ensure("", SECRET, async () => {
    // Certificates hold whole seconds.
    const created = new Date(Math.floor(now.getTime() / 1_000) * 1_000).toISOString();
    return JSON.stringify({ seed: randomBytes(SEED_BYTES).toString("base64"), created });
  });
  return readRoot(text);
}

/** The keys that follow from a root. */
export function adminKeysFrom(root: DerivedRoot): AdminKeys {
  const callers = derivedAuthority(root, "envoy-admin-callers");
  const proxies = derivedAuthority(root, "envoy-admin-proxies");
  return {
    callersPem: callers.certificatePem,
    proxiesPem: proxies.certificatePem,
    caller: callers.issue("heddle://control-plane", "client"),
    certificateOf: (mesh, name) => proxies.issue(proxyUri(mesh, name), "server"),
  };
}

/** The name in the certificate of a proxy's inspect port. */
export function proxyUri(mesh: string, name: string): string {
  return `heddle://envoy-admin/${mesh}/${name}`;
}

function readRoot(text: string): DerivedRoot {
  try {
    const { seed, created } = stored.parse(JSON.parse(text));
    return { seed: seedOf(seed), created: new Date(created) };
  } catch {
    // The cause stays out: it may quote the seed.
    const fix = "delete it, then start again: proxies get new certificates for their inspect ports";
    throw new Error(`Cannot read GlobalSecret "${SECRET}": it does not hold what a control plane wrote; ${fix}`);
  }
}

function seedOf(text: string): Buffer {
  return Buffer.from(text, "base64");
}
