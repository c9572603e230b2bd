import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { CertificateFacts, MeshAuthority, MeshCertificates } from "./certificate-facts.ts";
import { ExpiryWatch } from "./expiry-watch.ts";

const MINUTE = 60_000;
const READY: MeshAuthority = {
  name: "ca-1",
  type: "vault",
  signs: true,
  state: { state: "ready" },
  certificateMillis: 60 * MINUTE,
  issuer: undefined,
  roots: [],
};

/** An hour long, to be renewed after 40 minutes. */
function certificate(issuedAt: number): CertificateFacts {
  const held = {
    issuedAt: new Date(issuedAt),
    renewAt: new Date(issuedAt + 40 * MINUTE),
    notAfter: new Date(issuedAt + 60 * MINUTE),
    issuer: "ca-1",
  };
  const facts = { name: "web", online: true, spiffeIds: [], issuer: "ca-1", held };
  return { ...facts, isIssuing: false, problem: undefined };
}

interface Watched {
  readonly said: string[];
  found: readonly MeshCertificates[];
  /** What is said in that time, a line each. */
  readonly after: (millis: number) => readonly string[];
}

/** A watch over one mesh with one certificate, on a clock that the test moves. */
function watching(t: TestContext, change: Partial<MeshCertificates> = {}, availabilityTarget = 0): Watched {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 0 });
  const said: string[] = [];
  const hear =
    (level: string) =>
    (message: string): void =>
      void said.push(`${level}: ${message}`);
  const mesh = { mesh: "m", authorities: [READY], certificates: [certificate(0)], ...change };
  const watched: Watched = {
    said,
    found: [mesh],
    after: (millis) => {
      said.length = 0;
      // Second by second: a longer tick has what it wakes see its end, not the moment it was to wake at.
      for (let passed = 0; passed < millis; passed += 1_000) t.mock.timers.tick(1_000);
      return [...said];
    },
  };
  const now = (): Date => new Date();
  const options = { meshes: () => watched.found, availabilityTarget, now, warn: hear("warn"), relieve: hear("info") };
  const watch = new ExpiryWatch(options);
  t.after(() => watch.stop());
  watch.notice();
  return watched;
}

test("ExpiryWatch warns when a renewal is late, when the end is near, and at the end: once each, without being called", (t) => {
  const watched = watching(t);
  assert.deepEqual(watched.after(40 * MINUTE), []);
  const late = watched.after(MINUTE);
  assert.equal(late.length, 1, late.join());
  assert.match(
    late[0] ?? "",
    /^warn: mesh "m": 1 certificate should have been renewed by now, .* that of web at 1970-/,
  );
  assert.deepEqual(watched.after(8 * MINUTE), []);
  assert.match(watched.after(2 * MINUTE).join("|"), /^warn: [^|]*will end soon[^|]*$/);
  assert.match(watched.after(10 * MINUTE).join("|"), /^warn: [^|]*ended without a new one[^|]*$/);
  assert.deepEqual(watched.after(600 * MINUTE), []);
});

test("ExpiryWatch says once that all is well again, and warns anew of what comes back", (t) => {
  const watched = watching(t);
  assert.equal(watched.after(52 * MINUTE).length, 2);
  const [mesh] = watched.found;
  assert.ok(mesh);
  watched.found = [{ ...mesh, certificates: [certificate(52 * MINUTE)] }];
  assert.deepEqual(watched.after(59 * MINUTE).slice(0, 1), ['info: mesh "m": its certificates are in order again']);
  assert.match(watched.said.slice(1).join("|"), /^warn: [^|]*should have been renewed[^|]*\|warn: [^|]*end soon[^|]*$/);
});

test("ExpiryWatch leaves an authority that is down to whoever tells of it at once, and gives its reason with certificates", (t) => {
  const state = { state: "down", reason: "Vault is sealed", since: new Date(0) } as const;
  const watched = watching(t, { authorities: [{ ...READY, state }] });
  assert.deepEqual(watched.after(30 * MINUTE), []);
  assert.match(watched.after(11 * MINUTE).join("|"), /^warn: [^|]*: ca-1 cannot sign: Vault is sealed$/);
});

test("ExpiryWatch warns at once of certificates that are too short for the availability target, and forgets a mesh that went", (t) => {
  const watched = watching(t, {}, 60 * MINUTE);
  assert.match(watched.after(MINUTE).join("|"), /^warn: [^|]*too short to outlast .* give them 1h20m or more$/);
  const before = watched.found;
  watched.found = [];
  assert.deepEqual(watched.after(60 * MINUTE), []);
  watched.found = before;
  assert.equal(watched.after(60 * MINUTE).filter((line) => /too short/.test(line)).length, 1);
});
