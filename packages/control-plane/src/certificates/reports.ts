import {
  type AuthoritiesReport,
  type AuthorityCertificate,
  type AuthorityReport,
  CERTIFICATE_STATES,
  type CertificateReport,
  type CertificatesReport,
} from "@heddle/api/reports.ts";
import { spareMillis } from "@heddle/identity/rotation.ts";
import { certificateFigures } from "./authority-certificate.ts";
import {
  type CertificateFacts,
  certificateState,
  type MeshAuthority,
  type MeshCertificates,
} from "./certificate-facts.ts";
import { authorityWarnings, certificateWarnings, reasonOf } from "./warnings.ts";

/** The certificates of a mesh's proxies, those at risk first. */
export function certificatesReport(found: MeshCertificates, now: Date): CertificatesReport {
  const items = found.certificates.map((each) => certificateReport(each, found.authorities, now)).toSorted(byRisk);
  const online = items.filter((each) => each.online);
  const [first] = online.filter((each) => each.expiresAt !== undefined).toSorted(byExpiry);
  const states = CERTIFICATE_STATES.map((state) => [state, online.filter((each) => each.state === state).length]);
  return {
    ...(first?.expiresAt === undefined ? {} : { firstExpiry: { name: first.name, expiresAt: first.expiresAt } }),
    states: Object.fromEntries(states) as CertificatesReport["states"],
    warnings: certificateWarnings(found, now).map(({ message }) => message),
    items,
  };
}

/** The authorities of a mesh, with how long what they issue outlasts the control plane. */
export function authoritiesReport(found: MeshCertificates, now: Date, availabilityTarget: number): AuthoritiesReport {
  return {
    warnings: authorityWarnings(found, now, availabilityTarget).map(({ message }) => message),
    items: found.authorities.map((each) => authorityReport(each, availabilityTarget)),
  };
}

function certificateReport(
  facts: CertificateFacts,
  authorities: readonly MeshAuthority[],
  now: Date,
): CertificateReport {
  const { name, online, spiffeIds, issuer, held } = facts;
  const state = certificateState(facts, now);
  const reason = state === "ok" ? undefined : reasonOf(facts, authorities);
  return {
    name,
    online,
    spiffeIds,
    issuer: held?.issuer || issuer,
    state,
    ...(reason === undefined ? {} : { reason }),
    ...(held === undefined
      ? {}
      : {
          issuedAt: held.issuedAt.toISOString(),
          renewsAt: held.renewAt.toISOString(),
          expiresAt: held.notAfter.toISOString(),
        }),
  };
}

// Proxies that serve come before those that are not there.
function byRisk(a: CertificateReport, b: CertificateReport): number {
  const rank = ({ online, state }: CertificateReport): number =>
    Number(!online) * 10 + CERTIFICATE_STATES.indexOf(state);
  return rank(a) - rank(b) || byExpiry(a, b);
}

function byExpiry(a: CertificateReport, b: CertificateReport): number {
  const [first, second] = [a.expiresAt ?? "", b.expiresAt ?? ""];
  return compare(first, second) || compare(a.name, b.name);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function authorityReport(authority: MeshAuthority, availabilityTarget: number): AuthorityReport {
  const { name, type, signs, state, issuer, roots, certificateMillis } = authority;
  return {
    name,
    type,
    signs,
    state: state.state,
    ...(state.state === "down" ? { reason: state.reason, since: state.since.toISOString() } : {}),
    certificateLifeSeconds: certificateMillis / 1_000,
    availabilitySeconds: Math.floor(spareMillis(certificateMillis, availabilityTarget) / 1_000),
    ...(issuer === undefined ? {} : { issuer: certificate(issuer, undefined) }),
    roots: roots.map(({ pem, until }) => certificate(pem, until)),
  };
}

function certificate(pem: string, until: Date | undefined): AuthorityCertificate {
  const { subject, fingerprint, notAfter } = certificateFigures(pem);
  const trusted = until === undefined ? {} : { trustedUntil: until.toISOString() };
  return { subject, fingerprint, expiresAt: notAfter.toISOString(), ...trusted };
}
