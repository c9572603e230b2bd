import { MOST_SPARE } from "@heddle/identity/rotation.ts";
import { formatDuration } from "@heddle/model/duration.ts";
import { certificateFigures } from "./authority-certificate.ts";
import {
  type CertificateFacts,
  certificateState,
  expiringAt,
  type MeshAuthority,
  type MeshCertificates,
} from "./certificate-facts.ts";

/** Something that will go wrong, or has, unless somebody acts. */
export interface Warning {
  /** Stays the same while it is the same thing, whatever the figures in its message do. */
  readonly key: string;
  readonly message: string;
}

const DAY = 86_400_000;
/** Early enough to order a new certificate from people. */
const LONGEST_NOTICE = 30 * DAY;
/** A renewal that takes longer than this is worth a word. */
const PATIENCE = 5_000;

/** Warnings about authorities: down, ending, or with certificates too short-lived for what is wanted. */
export function authorityWarnings(
  { authorities }: MeshCertificates,
  now: Date,
  availabilityTarget: number,
): readonly Warning[] {
  return authorities.flatMap((authority) => [
    ...downWarnings(authority),
    ...endWarnings(authority, now),
    ...targetWarnings(authority, availabilityTarget),
  ]);
}

/** Warnings about the certificates of connected proxies. */
export function certificateWarnings({ certificates, authorities }: MeshCertificates, now: Date): readonly Warning[] {
  const groups = Map.groupBy(
    certificates.filter(({ online }) => online),
    (each) => alarmOf(each, now),
  );
  return (["expired", "expiring", "due", "unacknowledged", "missing"] as const).flatMap((alarm) => {
    const group = groups.get(alarm) ?? [];
    const [first] = group.toSorted(byEnd);
    if (first === undefined) return [];
    const reason = reasonOf(first, authorities);
    // A newcomer is without one for a moment, which is nothing to be told of.
    if (alarm === "missing" && reason === undefined) return [];
    const many = `${group.length} ${group.length === 1 ? "certificate" : "certificates"}`;
    const why = reason === undefined ? "" : `: ${reason}`;
    return [{ key: alarm, message: `${ALARMS[alarm](many, first)}${why}` }];
  });
}

/** Why a certificate is not in order, where that is known. */
export function reasonOf(facts: CertificateFacts, authorities: readonly MeshAuthority[]): string | undefined {
  if (!facts.online) return "the proxy is not connected";
  if (facts.problem !== undefined) return facts.problem;
  if (facts.unacknowledged !== undefined) return unacknowledgedReason(facts.unacknowledged);
  const signer = authorities.find(({ name }) => name === facts.issuer);
  if (signer?.state.state === "down") return `${signer.name} cannot sign: ${signer.state.reason}`;
  return signer?.state.state === "starting" ? `${signer.name} is not ready yet` : undefined;
}

function unacknowledgedReason({ since, shownUntil }: NonNullable<CertificateFacts["unacknowledged"]>): string {
  const shown = shownUntil === undefined ? "" : `; it shows one that ends at ${shownUntil.toISOString()}`;
  return `sent, not acknowledged since ${since.toISOString()}${shown}`;
}

/** When warnings may be others than now, at the earliest. */
export function nextChange({ certificates, authorities }: MeshCertificates, now: Date): number {
  const ends = certificates.flatMap(({ online, held, unacknowledged }) => [
    ...(online && held !== undefined ? [overdueAt(held), expiringAt(held).getTime(), held.notAfter.getTime()] : []),
    ...(online && unacknowledged !== undefined ? [unacknowledged.since.getTime() + PATIENCE] : []),
  ]);
  const authorityEnds = authorities.flatMap((authority) =>
    signing(authority).flatMap((pem) => {
      const { notAfter } = certificateFigures(pem);
      return [notAfter.getTime(), notAfter.getTime() - noticeOf(pem, authority)];
    }),
  );
  const later = [...ends, ...authorityEnds].filter((time) => time > now.getTime());
  return later.reduce((earliest, time) => Math.min(earliest, time), Infinity);
}

type Alarm = "expired" | "expiring" | "due" | "unacknowledged" | "missing";

const ALARMS: Readonly<Record<Alarm, (many: string, first: CertificateFacts) => string>> = {
  expired: (many, first) => `${many} of connected proxies ended without a new one, first that of ${endOf(first)}`,
  expiring: (many, first) => `${many} of connected proxies will end soon, first that of ${endOf(first)}`,
  due: (many, first) => `${many} should have been renewed by now, the first to end is that of ${endOf(first)}`,
  unacknowledged: (many, { name }) =>
    `${many} reached connected proxies that do not answer, one of them ${name}; restart it if it is frozen`,
  missing: (many, { name }) => `${many} could not be issued to connected proxies, one of them ${name}`,
};

function endOf({ name, held }: CertificateFacts): string {
  return `${name} at ${held?.notAfter.toISOString()}`;
}

function alarmOf(facts: CertificateFacts, now: Date): Alarm | undefined {
  const state = certificateState(facts, now);
  if (state === "due" || state === "renewing") {
    return facts.held !== undefined && overdueAt(facts.held) <= now.getTime() ? "due" : undefined;
  }
  if (state === "unacknowledged" && (facts.unacknowledged?.since.getTime() ?? 0) + PATIENCE > now.getTime())
    return undefined;
  return state === "ok" ? undefined : state;
}

function overdueAt({ renewAt, notAfter }: NonNullable<CertificateFacts["held"]>): number {
  const spare = notAfter.getTime() - renewAt.getTime();
  return renewAt.getTime() + Math.min(PATIENCE, spare / 4);
}

function byEnd(a: CertificateFacts, b: CertificateFacts): number {
  const [first, second] = [a.held?.notAfter.getTime() ?? 0, b.held?.notAfter.getTime() ?? 0];
  return first - second || (a.name < b.name ? -1 : 1);
}

function downWarnings({ name, signs, state }: MeshAuthority): readonly Warning[] {
  if (!signs || state.state !== "down") return [];
  const message = `${name} cannot sign since ${state.since.toISOString()}: ${state.reason}`;
  return [{ key: `${name} down`, message }];
}

function endWarnings(authority: MeshAuthority, now: Date): readonly Warning[] {
  return signing(authority).flatMap((pem) => {
    const { subject, fingerprint, notAfter } = certificateFigures(pem);
    if (notAfter.getTime() - noticeOf(pem, authority) > now.getTime()) return [];
    const isOver = notAfter <= now;
    const what = `the certificate "${subject}" of ${authority.name} ${isOver ? "ended" : "ends"} at ${notAfter.toISOString()}`;
    const message = `${what}; let another authority sign before it does, or certificates of proxies end with it`;
    return [{ key: `${authority.name} ${fingerprint} ${isOver ? "ended" : "ends"}`, message }];
  });
}

/** The last third of its life, thirty days at most; as long as the proxies' certificates are meant to live at least. */
function noticeOf(pem: string, { certificateMillis }: MeshAuthority): number {
  const { notBefore, notAfter } = certificateFigures(pem);
  const third = (notAfter.getTime() - notBefore.getTime()) / 3;
  return Math.max(certificateMillis, Math.min(third, LONGEST_NOTICE));
}

/** What signs, and what that ends in; earlier roots may end. */
function signing({ issuer, roots }: MeshAuthority): readonly string[] {
  const current = roots.filter(({ until }) => until === undefined).map(({ pem }) => pem);
  return [...new Set([...(issuer === undefined ? [] : [issuer]), ...current])];
}

/** Whether what an authority issues lives long enough for the target, in milliseconds. */
export function targetWarnings(
  { name, signs, certificateMillis }: Pick<MeshAuthority, "name" | "signs" | "certificateMillis">,
  target: number,
): readonly Warning[] {
  if (!signs || target <= certificateMillis * MOST_SPARE) return [];
  const enough = formatDuration(Math.ceil(target / MOST_SPARE / 1_000) * 1_000);
  const life = formatDuration(certificateMillis);
  const message =
    `certificates of ${name} live for ${life}, which is too short to outlast the control plane for the ` +
    `${formatDuration(target)} of availabilityTarget; give them ${enough} or more`;
  return [{ key: `${name} target`, message }];
}
