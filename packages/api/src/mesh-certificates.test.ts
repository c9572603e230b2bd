import assert from "node:assert/strict";
import { test } from "node:test";
import { SILENT_INSPECT } from "./testkit/fake-ports.ts";
import { startApi } from "./testkit/running-api.ts";

const CERTIFICATES = {
  firstExpiry: { name: "web-1", expiresAt: "2026-01-01T00:00:00.000Z" },
  states: { missing: 0, expired: 0, expiring: 1, due: 0, unacknowledged: 0, renewing: 0, ok: 0 },
  warnings: ["1 certificate will end soon"],
  items: [],
};
const AUTHORITIES = { warnings: ["ca-1 cannot sign"], items: [] };

test("_certificates and _authorities answer for a mesh; MeshInsight sums them up", async () => {
  const inspect = { ...SILENT_INSPECT, certificates: () => CERTIFICATES, authorities: () => AUTHORITIES };
  await using api = await startApi({ inspect });
  assert.deepEqual((await api.call("GET", "/meshes/default/_certificates")).json(), CERTIFICATES);
  assert.deepEqual((await api.call("GET", "/meshes/default/_authorities")).json(), AUTHORITIES);
  assert.equal((await api.call("GET", "/meshes/nowhere/_certificates")).status, 404);
  const insight = (await api.call("GET", "/mesh-insights/default")).json() as { mTLS: object };
  assert.partialDeepStrictEqual(insight.mTLS, {
    certificates: { states: CERTIFICATES.states, firstExpiry: CERTIFICATES.firstExpiry },
    warnings: ["ca-1 cannot sign", "1 certificate will end soon"],
  });
});

test("_certificates of a mesh that this control plane does not run is 404 with the reason", async () => {
  await using api = await startApi();
  const answer = await api.call("GET", "/meshes/default/_certificates");
  assert.equal(answer.status, 404);
  assert.match(JSON.stringify(answer.json()), /not run by this control plane yet/);
});
