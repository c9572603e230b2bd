import { contentHash } from "@heddle/model/canonical-json.ts";
import type { DataplaneInsightSpec } from "@heddle/model/kinds/dataplane-insight.ts";
import { formatKri, kriOf } from "@heddle/model/kri.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";
import { identitySecret } from "@heddle/engine/emit/secrets.ts";
import type { ProxyIdentity } from "@heddle/engine/snapshot/identity.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { BackendUnavailable } from "@heddle/identity/backends/backend.ts";
import type { CertificateRequest, IssuedCertificate } from "@heddle/identity/leaf.ts";
import { rotationTime } from "@heddle/identity/rotation.ts";
import type { Authorities, Authority } from "./authorities.ts";

/** A certificate that a proxy has, as Envoy gets it. */
export interface Held {
  readonly secret: EncodedResource;
  readonly notAfter: Date;
  readonly renewAt: Date;
  readonly issuedAt: Date;
  /** What it was issued for and by whom: another one is needed when this changes. */
  readonly basis: string;
  /** Who signed: the backend of the mesh, or the MeshIdentity. */
  readonly issuer: string;
  /** Which roots it ends in; unknown of one that an earlier version issued. */
  readonly roots?: string | undefined;
  /** The SPIFFE IDs in it, and what gave them; unknown of one that an earlier version issued. */
  readonly ids?: { readonly spiffeIds: readonly string[]; readonly by: "Mesh" | "MeshIdentity" } | undefined;
}

/**
 * What a proxy held when this control plane last knew it, from its insight. The key is with the proxy alone: while the
 * proxy still has this version nothing needs to be sent, otherwise another certificate is issued.
 */
export function rememberedCertificate({ mTLS }: DataplaneInsightSpec): Held | undefined {
  const { certificateVersion: version, certificateBasis: basis, certificateRenewalTime: renewal } = mTLS ?? {};
  const { certificateExpirationTime: end, lastCertificateRegeneration: issued, certificateName: name } = mTLS ?? {};
  const { certificateAuthority: roots, issuedBackend: issuer = "" } = mTLS ?? {};
  if (!version || !basis || !renewal || !end || !issued || !name) return undefined;
  const secret = { typeUrl: TYPE_URL.secret, name, version, bytes: new Uint8Array() };
  return {
    secret,
    basis,
    notAfter: new Date(end),
    renewAt: new Date(renewal),
    issuedAt: new Date(issued),
    issuer,
    roots,
  };
}

/** Whose certificate it is. */
export interface Holder {
  readonly mesh: string;
  readonly name: string;
  readonly identity: ProxyIdentity;
}

/** What became of a request for a certificate: it was issued, its authority is down, or refused this one. */
export interface Issuance {
  readonly mesh: string;
  readonly issuer: string;
  readonly outcome: "issued" | "unavailable" | "refused";
  readonly seconds: number;
}

export interface CertificatesOptions {
  /** How much life certificates have left at least, in milliseconds; see `spareMillis`. */
  readonly availabilityTarget?: number;
  /** Told of every request. */
  readonly onIssuance?: (issuance: Issuance) => void;
}

/** Issues proxies' certificates. Nothing is kept here: a certificate lives as long as the proxy's connection. */
export class Certificates {
  readonly #authorities: Authorities;
  readonly #now: () => Date;
  readonly #options: CertificatesOptions;

  constructor(authorities: Authorities, now: () => Date, options: CertificatesOptions = {}) {
    this.#authorities = authorities;
    this.#now = now;
    this.#options = options;
  }

  /** Whether it is time for another one. */
  isDue({ renewAt }: Held): boolean {
    return renewAt <= this.#now();
  }

  /** Whether what a proxy holds still serves: for this identity, by this authority, and not due for renewal. */
  isGood(held: Held | undefined, holder: Holder): boolean {
    const authority = this.#authorities.forProxy(holder.mesh, holder.identity);
    if (held === undefined || authority === undefined) return held !== undefined;
    return held.basis === basisOf(holder.identity, authority) && held.renewAt > this.#now();
  }

  /**
   * Whether another certificate can wait: it would end in other roots than this one, which others may not trust yet. One
   * that is due for renewal cannot, so that a proxy which acknowledges nothing holds up nobody for good.
   */
  mayWait(held: Held | undefined, { mesh, identity }: Holder): boolean {
    const authority = this.#authorities.forProxy(mesh, identity);
    // One of another name is no certificate for what the proxy is told to do now: it would get nothing at all meanwhile.
    if (held === undefined || authority === undefined || held.secret.name !== identity.tls.identitySecret) return false;
    return held.roots !== contentHash(authority.caPem) && held.renewAt > this.#now();
  }

  /** A new certificate; undefined while the authority cannot be had. */
  async issue({ mesh, name, identity }: Holder): Promise<Held | undefined> {
    const authority = this.#authorities.forProxy(mesh, identity);
    if (authority === undefined || identity.problem !== undefined) return undefined;
    const now = this.#now();
    const issued = await this.#observed({ mesh, issuer: issuerName(identity) }, () =>
      issuedOrNothing(authority, {
        uris: [...identity.uris],
        validitySeconds: authority.certificateMillis / 1_000,
        usages: ["server", "client"],
        now,
      }),
    );
    if (issued === undefined) return undefined;
    return {
      secret: identitySecret(identity.tls.identitySecret, issued.certificatePem, issued.keyPem),
      notAfter: issued.notAfter,
      // Counted from now: the certificate begins earlier only for the sake of clocks that are behind.
      renewAt: rotationTime(
        { notBefore: now, notAfter: issued.notAfter },
        `${mesh}/${name}`,
        this.#options.availabilityTarget,
      ),
      issuedAt: now,
      basis: basisOf(identity, authority),
      issuer: issuerName(identity),
      roots: contentHash(authority.caPem),
      ids: { spiffeIds: identity.spiffeIds, by: identity.issuer.by },
    };
  }

  async #observed(
    who: Pick<Issuance, "mesh" | "issuer">,
    issue: () => Promise<IssuedCertificate | undefined>,
  ): Promise<IssuedCertificate | undefined> {
    const started = performance.now();
    let outcome: Issuance["outcome"] = "refused";
    try {
      const issued = await issue();
      outcome = issued === undefined ? "unavailable" : "issued";
      return issued;
    } finally {
      this.#options.onIssuance?.({ ...who, outcome, seconds: (performance.now() - started) / 1_000 });
    }
  }
}

/** When the last of these certificates ends; undefined without any. */
export function lastEnd(certificates: ReadonlyMap<string, Held> = new Map()): Date | undefined {
  const ends = [...certificates.values()].map(({ notAfter }) => notAfter.getTime());
  return ends.length === 0 ? undefined : new Date(ends.reduce((a, b) => Math.max(a, b)));
}

/** Who signs for this identity, as insights name it. */
export function issuerName({ issuer }: ProxyIdentity): string {
  return issuer.by === "Mesh" ? issuer.backend : formatKri(kriOf("mid", issuer.resource));
}

/** An authority that is down has said so itself, once; those who wait for it are asked again when it is back. */
async function issuedOrNothing(
  authority: Authority,
  request: CertificateRequest,
): Promise<IssuedCertificate | undefined> {
  try {
    return await authority.issue(request);
  } catch (error) {
    if (error instanceof BackendUnavailable) return undefined;
    throw error;
  }
}

function basisOf(identity: ProxyIdentity, { caPem, certificateMillis }: Authority): string {
  return contentHash([identity.hash, certificateMillis, caPem]);
}
