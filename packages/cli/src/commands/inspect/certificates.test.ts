import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAuthorities, parseCertificates } from "../../inspect/certificate-rows.ts";
import { startFake } from "../../testkit/fake-control-plane.ts";
import { runHere } from "../../testkit/run-line.ts";
import { render as renderAuthorities } from "./authorities.ts";
import { render } from "./certificates.ts";

const NOW = new Date("2026-01-01T12:00:00Z");

const CERTIFICATES = {
  firstExpiry: { name: "web-1", expiresAt: "2026-01-01T14:00:00.000Z" },
  warnings: ["1 certificate of connected proxies will end soon"],
  items: [
    {
      name: "web-1",
      online: true,
      spiffeIds: ["spiffe://default/web"],
      issuer: "vault-1",
      state: "expiring",
      reason: "vault-1 cannot sign: Vault is sealed",
      issuedAt: "2025-12-31T14:00:00.000Z",
      renewsAt: "2026-01-01T04:00:00.000Z",
      expiresAt: "2026-01-01T14:00:00.000Z",
    },
    { name: "api-1", online: false, spiffeIds: [], issuer: "vault-1", state: "missing" },
  ],
};

test("inspect certificates: a line for each, warnings, and until when the control plane may be away", () => {
  assert.equal(
    render([parseCertificates("default", CERTIFICATES)], { now: NOW }),
    [
      "MESH      NAME    STATE              EXPIRES   RENEWS   ISSUED    ISSUER    SPIFFE ID",
      "default   web-1   expiring           in 2h     8h ago   22h ago   vault-1   spiffe://default/web",
      "default   api-1   missing, offline   -         -        -         vault-1   -",
      "",
      "! default: 1 certificate of connected proxies will end soon",
      "default: the control plane may be away until 2026-01-01T14:00:00.000Z (in 2h); then the certificate of web-1 ends",
    ].join("\n"),
  );
  const late = new Date("2026-01-01T15:00:00Z");
  assert.match(render([parseCertificates("default", CERTIFICATES)], { now: late }), /web-1 is refused since .*1h ago/);
  assert.match(render([], { now: NOW }), /mutual TLS is off/);
});

const AUTHORITIES = {
  warnings: ["vault-1 cannot sign since 2026-01-01T11:00:00.000Z: Vault is sealed"],
  items: [
    {
      name: "vault-1",
      type: "vault",
      signs: true,
      state: "down",
      reason: "Vault is sealed",
      since: "2026-01-01T11:00:00.000Z",
      availabilitySeconds: 28_800,
      issuer: { subject: "CN=intermediate", expiresAt: "2026-03-01T00:00:00.000Z" },
      roots: [
        { subject: "CN=new", expiresAt: "2027-01-01T12:00:00.000Z" },
        {
          subject: "CN=old",
          expiresAt: "2027-01-01T12:00:00.000Z",
          trustedUntil: "2026-01-02T00:00:00.000Z",
        },
      ],
    },
    { name: "ca-1", type: "builtin", signs: false, state: "ready", availabilitySeconds: 28_800, roots: [] },
  ],
};

test("inspect authorities: state with its reason, what signs, what is trusted and until when", () => {
  assert.equal(
    renderAuthorities([parseAuthorities("default", AUTHORITIES)], NOW),
    [
      "default/vault-1 (vault): down for 1h",
      "  reason  Vault is sealed",
      "  signs   yes; certificates outlast it by 8h or more",
      "  issuer  CN=intermediate, ends in 58d (2026-03-01T00:00:00.000Z)",
      "  root    CN=new, ends in 365d (2027-01-01T12:00:00.000Z)",
      "  earlier CN=old, ends in 365d (2027-01-01T12:00:00.000Z), signs no more, trusted until 2026-01-02T00:00:00.000Z",
      "default/ca-1 (builtin): ready",
      "  signs   no, it is only trusted",
      "! default: vault-1 cannot sign since 2026-01-01T11:00:00.000Z: Vault is sealed",
    ].join("\n"),
  );
});

test("inspect certificates and authorities ask every mesh, or the one that is named", async () => {
  await using fake = await startFake({
    "GET /meshes": { body: { total: 2, items: [{ name: "default" }, { name: "other" }], next: null } },
    "GET /meshes/default/_certificates": { body: CERTIFICATES },
    "GET /meshes/other/_certificates": { body: { warnings: [], items: [] } },
    "GET /meshes/default/_authorities": { body: AUTHORITIES },
  });
  const env = { HEDDLE_ADDRESS: fake.address };
  assert.doesNotMatch((await runHere(["inspect", "certificates"], { env })).stdout, /control plane:/);
  const json = await runHere(["inspect", "certificates", "-o", "json"], { env });
  assert.deepEqual(JSON.parse(json.stdout), [
    { mesh: "default", ...CERTIFICATES },
    { mesh: "other", warnings: [], items: [] },
  ]);
  const text = await runHere(["inspect", "authorities", "-m", "default"], { env });
  assert.match(text.stdout, /^default\/vault-1 \(vault\): down/);
});

test("inspect certificates tells what is wrong with the control plane's own", async () => {
  await using fake = await startFake({
    "GET /meshes": { body: { total: 0, items: [], next: null } },
    "GET /server-certificates": { body: { warnings: ['the certificate of port "api" ends soon'], items: [] } },
  });
  const { stdout } = await runHere(["inspect", "certificates"], { env: { HEDDLE_ADDRESS: fake.address } });
  assert.match(stdout, /\n! control plane: the certificate of port "api" ends soon\n/);
});
