import type { CertificateState } from "@heddle/api/reports.ts";
import { identityOf } from "@heddle/engine/snapshot/identity.ts";
import { enabledBackend } from "@heddle/model/kinds/mesh.ts";
import type { Authorities } from "../identity/authorities.ts";
import { type Held, issuerName } from "../identity/certificates.ts";
import type { AuthorityFacts } from "../identity/mesh-cas.ts";
import type { MeshRuntime } from "../mesh/mesh-runtime.ts";

/** What is known of one proxy's certificate. */
export interface CertificateFacts {
  readonly name: string;
  readonly online: boolean;
  readonly spiffeIds: readonly string[];
  readonly issuer: string;
  readonly held: Pick<Held, "issuedAt" | "renewAt" | "notAfter" | "issuer"> | undefined;
  /** Since when one that was sent is not acknowledged, and when the one ends that the proxy shows meanwhile. */
  readonly unacknowledged?: { readonly since: Date; readonly shownUntil: Date | undefined } | undefined;
  readonly isIssuing: boolean;
  /** Why it cannot have one, or could not when that was tried last. */
  readonly problem: string | undefined;
}

/** One authority of a mesh, and whether new certificates are of it. */
export interface MeshAuthority extends AuthorityFacts {
  readonly signs: boolean;
}

/** The certificates of a mesh at one moment. */
export interface MeshCertificates {
  readonly mesh: string;
  readonly certificates: readonly CertificateFacts[];
  readonly authorities: readonly MeshAuthority[];
}

/** Collects what there is to know about the certificates of a mesh. Proxies without an identity have none. */
export function meshCertificates(runtime: MeshRuntime, authorities: Authorities): MeshCertificates {
  const { snapshot, proxies } = runtime;
  const { mesh, identities } = snapshot;
  const certificates = [...snapshot.dataplanes.values()].flatMap(({ resource }) => {
    const identity = identityOf(snapshot, resource);
    if (identity === undefined) return [];
    const proxy = proxies.get(resource.name);
    const problem = identity.problem ?? proxy?.certificateProblem;
    // What a SPIRE agent gives is not seen here, only that it gives nothing.
    if (identity.tls.agent !== undefined && problem === undefined) return [];
    return [
      {
        name: resource.name,
        online: proxy !== undefined,
        spiffeIds: identity.spiffeIds,
        issuer: issuerName(identity),
        held: runtime.certificates.get(resource.name),
        unacknowledged: unacknowledged(runtime, resource.name),
        isIssuing: proxy !== undefined && runtime.isIssuing(proxy),
        problem,
      },
    ];
  });
  const signer = enabledBackend(mesh.spec)?.name;
  return {
    mesh: mesh.name,
    certificates,
    authorities: [
      ...authorities.describe(mesh.name).map((each) => ({ ...each, signs: each.name === signer })),
      ...[...identities.values()].map((each) => ({ ...authorities.describeIdentity(each), signs: true })),
    ],
  };
}

function unacknowledged(runtime: MeshRuntime, name: string): CertificateFacts["unacknowledged"] {
  const sent = runtime.unacknowledged.get(name);
  return sent && { since: sent.since, shownUntil: sent.shown?.notAfter };
}

/** How a certificate is. */
export function certificateState(
  { held, isIssuing, unacknowledged: sent }: CertificateFacts,
  now: Date,
): CertificateState {
  if (held === undefined) return "missing";
  if (held.notAfter <= now) return "expired";
  if (expiringAt(held) <= now) return "expiring";
  if (held.renewAt <= now && !isIssuing) return "due";
  if (sent !== undefined) return "unacknowledged";
  return isIssuing ? "renewing" : "ok";
}

/** When half of the time that is meant for the renewal has gone without one. */
export function expiringAt({ renewAt, notAfter }: Pick<Held, "renewAt" | "notAfter">): Date {
  return new Date((renewAt.getTime() + notAfter.getTime()) / 2);
}
