import assert from "node:assert/strict";
import { test } from "node:test";
import { createCa, meshCaRequest } from "@heddle/identity/ca.ts";
import type { CertificateFacts, MeshAuthority, MeshCertificates } from "./certificate-facts.ts";
import { authoritiesReport, certificatesReport } from "./reports.ts";
import { nextChange } from "./warnings.ts";

const NOW = new Date("2026-01-01T12:00:00Z");
const HOUR = 3_600_000;
const at = (hours: number): Date => new Date(NOW.getTime() + hours * HOUR);

async function authority(validitySeconds: number, change: Partial<MeshAuthority> = {}): Promise<MeshAuthority> {
  const { certificatePem } = await createCa({ ...meshCaRequest("m", "ecdsa-p256", NOW), validitySeconds });
  const state = { state: "ready" } as const;
  const facts = { name: "ca-1", type: "builtin", signs: true, state, certificateMillis: 24 * HOUR };
  return { ...facts, issuer: certificatePem, roots: [{ pem: certificatePem }], ...change };
}

/** Issued so many hours ago for 24 hours, to be renewed after 15. */
function certificate(name: string, hoursAgo: number, change: Partial<CertificateFacts> = {}): CertificateFacts {
  const held = { issuedAt: at(-hoursAgo), renewAt: at(15 - hoursAgo), notAfter: at(24 - hoursAgo), issuer: "ca-1" };
  const facts = { name, online: true, spiffeIds: [`spiffe://m/${name}`], issuer: "ca-1", held };
  return { ...facts, isIssuing: false, problem: undefined, ...change };
}

const mesh = (authorities: readonly MeshAuthority[], ...certificates: CertificateFacts[]): MeshCertificates => ({
  mesh: "m",
  certificates,
  authorities,
});

const YEAR_SECONDS = 365 * 86_400;

test("certificatesReport() puts what is at risk first, offline proxies last, and tells when the first one ends", async () => {
  const found = mesh(
    [await authority(YEAR_SECONDS)],
    certificate("fresh", 1),
    certificate("renewing", 15.5, { isIssuing: true }),
    certificate("due", 15.5),
    certificate("frozen", 1, { unacknowledged: { since: at(-1), shownUntil: at(7) } }),
    certificate("served", 0, { unacknowledged: { since: NOW, shownUntil: undefined } }),
    certificate("expiring", 20),
    certificate("expired", 25, { problem: "label is missing" }),
    certificate("waiting", 0, { held: undefined }),
    certificate("away", 23, { online: false }),
  );
  const { items, states, firstExpiry, warnings } = certificatesReport(found, NOW);
  assert.deepEqual(
    items.map(({ name, state, reason }) => [name, state, reason]),
    [
      ["waiting", "missing", undefined],
      ["expired", "expired", "label is missing"],
      ["expiring", "expiring", undefined],
      ["due", "due", undefined],
      [
        "frozen",
        "unacknowledged",
        `sent, not acknowledged since ${at(-1).toISOString()}; it shows one that ends at ${at(7).toISOString()}`,
      ],
      ["served", "unacknowledged", `sent, not acknowledged since ${NOW.toISOString()}`],
      ["renewing", "renewing", undefined],
      ["fresh", "ok", undefined],
      ["away", "expiring", "the proxy is not connected"],
    ],
  );
  assert.deepEqual(states, { missing: 1, expired: 1, expiring: 1, due: 1, unacknowledged: 2, renewing: 1, ok: 1 });
  assert.deepEqual(firstExpiry, { name: "expired", expiresAt: at(-1).toISOString() });
  assert.deepEqual(warnings, [
    `1 certificate of connected proxies ended without a new one, first that of expired at ${at(-1).toISOString()}: label is missing`,
    `1 certificate of connected proxies will end soon, first that of expiring at ${at(4).toISOString()}`,
    `2 certificates should have been renewed by now, the first to end is that of due at ${at(8.5).toISOString()}`,
    `1 certificate reached connected proxies that do not answer, one of them frozen; restart it if it is frozen: sent, not acknowledged since ${at(-1).toISOString()}; it shows one that ends at ${at(7).toISOString()}`,
  ]);
});

test("certificatesReport() has nothing to say of a newcomer, and the authority's reason once that is down", async () => {
  const newcomer = certificate("web", 0, { held: undefined });
  assert.deepEqual(certificatesReport(mesh([await authority(YEAR_SECONDS)], newcomer), NOW).warnings, []);
  const down = await authority(YEAR_SECONDS, { state: { state: "down", reason: "Vault is sealed", since: at(-1) } });
  const { warnings, items } = certificatesReport(mesh([down], newcomer), NOW);
  assert.equal(items[0]?.reason, "ca-1 cannot sign: Vault is sealed");
  assert.match(warnings[0] ?? "", /^1 certificate could not be issued .* web: ca-1 cannot sign: Vault is sealed$/);
});

const ends: readonly [string, number, RegExp | undefined][] = [
  ["a year, for a year more", YEAR_SECONDS, undefined],
  ["31 days of a long life", 31 * 86_400, undefined],
  [
    "a day, when certificates live for one",
    86_400,
    /"CN=m, OU=Mesh, O=Heddle" of ca-1 ends at .*let another authority/,
  ],
];
for (const [what, seconds, wanted] of ends) {
  test(`authoritiesReport() of an authority with ${what} ${wanted === undefined ? "is silent" : "warns"}`, async () => {
    const { warnings } = authoritiesReport(mesh([await authority(seconds)]), NOW, 0);
    assert.equal(warnings.length, wanted === undefined ? 0 : 1, warnings.join());
    if (wanted !== undefined) assert.match(warnings[0] ?? "", wanted);
  });
}

test("authoritiesReport() warns thirty days before a root ends, and not because of one that signs no more", async () => {
  const ten = await authority(10 * YEAR_SECONDS);
  const inTime = (days: number): Date => new Date(NOW.getTime() + (3_650 - days) * 24 * HOUR);
  assert.equal(authoritiesReport(mesh([ten]), inTime(31), 0).warnings.length, 0);
  assert.equal(authoritiesReport(mesh([ten]), inTime(29), 0).warnings.length, 1);
  const earlier = { pem: (await authority(3_600)).issuer ?? "", until: at(1) };
  const { warnings, items } = authoritiesReport(mesh([{ ...ten, roots: [...ten.roots, earlier] }]), NOW, 0);
  assert.deepEqual(warnings, []);
  assert.equal(items[0]?.roots[1]?.trustedUntil, at(1).toISOString());
});

test("authoritiesReport() says how long certificates outlast who signs, and when that is less than was asked for", async () => {
  const day = mesh([await authority(YEAR_SECONDS)]);
  const seconds = (target: number): number | undefined =>
    authoritiesReport(day, NOW, target * HOUR).items[0]?.availabilitySeconds;
  assert.deepEqual([seconds(0), seconds(12), seconds(48)], [8 * 3_600, 12 * 3_600, 18 * 3_600]);
  assert.deepEqual(authoritiesReport(day, NOW, 12 * HOUR).warnings, []);
  assert.match(authoritiesReport(day, NOW, 48 * HOUR).warnings[0] ?? "", /live for 1d, .* give them 2d16h or more/);
});

test("nextChange() is the moment at which a warning begins", async () => {
  const found = mesh(
    [await authority(YEAR_SECONDS)],
    certificate("web", 1),
    certificate("away", 20, { online: false }),
  );
  const next = nextChange(found, NOW);
  const warningsAt = (time: number): number => certificatesReport(found, new Date(time)).warnings.length;
  assert.deepEqual([warningsAt(next - 1), warningsAt(next)], [0, 1]);
  const soon = nextChange(found, new Date(next));
  const isExpiring = (time: number): boolean => /soon/.test(certificatesReport(found, new Date(time)).warnings.join());
  assert.deepEqual([isExpiring(soon - 1), isExpiring(soon)], [false, true]);
});
