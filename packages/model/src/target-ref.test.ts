import assert from "node:assert/strict";
import { test } from "node:test";
import { checkMatch, checkTargetRef, TARGET_KINDS, type TargetRef } from "./target-ref.ts";

const wrong = (ref: TargetRef): readonly string[] =>
  checkTargetRef(ref, TARGET_KINDS, "to").map(({ field, message }) => `${field}: ${message}`);

const fine: readonly TargetRef[] = [
  { kind: "Mesh" },
  { kind: "Mesh", proxyTypes: ["Sidecar"] },
  { kind: "Dataplane" },
  { kind: "Dataplane", name: "web-1", namespace: "shop", sectionName: "http" },
  { kind: "Dataplane", labels: { app: "web" } },
  { kind: "MeshSubset", tags: { version: "v1" } },
  { kind: "MeshService", name: "backend" },
  { kind: "MeshService", labels: { "kuma.io/display-name": "backend" }, sectionName: "http" },
  { kind: "MeshServiceSubset", name: "backend", tags: { version: "v1" } },
  { kind: "MeshHTTPRoute", labels: { team: "a" } },
];
for (const ref of fine) {
  test(`checkTargetRef() accepts ${JSON.stringify(ref)}`, () => assert.deepEqual(wrong(ref), []));
}

const refused: readonly [TargetRef, string][] = [
  [{ kind: "Mesh", name: "default" }, "to.name: must not be set with kind Mesh; it takes proxyTypes"],
  [{ kind: "MeshService" }, "to: must say which MeshService: set name or labels"],
  [{ kind: "MeshServiceSubset", tags: {} }, "to: must say which MeshServiceSubset: set name"],
  [{ kind: "Dataplane", name: "a", labels: { b: "c" } }, "to: must have name or labels, not both"],
  [
    { kind: "MeshService", name: "a", tags: { version: "v1" } },
    "to.tags: must not be set with kind MeshService; it takes name, namespace, labels, sectionName",
  ],
];
for (const [ref, message] of refused) {
  test(`checkTargetRef() refuses ${JSON.stringify(ref)}`, () => assert.deepEqual(wrong(ref), [message]));
}

test("checkTargetRef() says which kinds make sense where this one does not", () => {
  assert.deepEqual(checkTargetRef({ kind: "MeshGateway", name: "a" }, ["Mesh", "Dataplane"], "targetRef"), [
    { field: "targetRef.kind", message: "must be one of Mesh, Dataplane here, not MeshGateway" },
  ]);
});

test("checkMatch() wants a caller, and SPIFFE IDs that are some", () => {
  assert.deepEqual(checkMatch({ sni: { type: "Exact", value: "a" } }, "m"), []);
  assert.deepEqual(checkMatch({ spiffeID: { type: "Prefix", value: "spiffe://default/" } }, "m"), []);
  assert.equal(checkMatch({}, "m")[0]?.field, "m");
  assert.equal(checkMatch({ spiffeID: { type: "Exact", value: "default/web" } }, "m")[0]?.field, "m.spiffeID.value");
});
