import assert from "node:assert/strict";
import { test } from "node:test";
import { referencesIn } from "./references.ts";

test("referencesIn() finds every reference with its path", () => {
  const spec = {
    targetRef: { kind: "Dataplane", labels: { team: "red" } },
    selector: { dataplaneRef: { name: "web" } },
    to: [
      {
        targetRef: { kind: "MeshService", name: "api", sectionName: "http" },
        rules: [{ default: { backendRefs: [{ kind: "MeshService", name: "v1", weight: 9 }, { kind: "Mesh" }] } }],
      },
    ],
    ca: { secretRef: { kind: "Secret", name: "key" } },
    name: "no reference",
    preference: { kind: "odd", name: "no reference either" },
  };
  assert.deepEqual(referencesIn(spec, "spec"), [
    { field: "spec.targetRef", kind: "Dataplane", labels: { team: "red" } },
    { field: "spec.selector.dataplaneRef", kind: "Dataplane", name: "web" },
    { field: "spec.to[0].targetRef", kind: "MeshService", name: "api" },
    { field: "spec.to[0].rules[0].default.backendRefs[0]", kind: "MeshService", name: "v1" },
    { field: "spec.ca.secretRef", kind: "Secret", name: "key" },
  ]);
});

test("referencesIn() finds the refs of reachable backends", () => {
  const spec = { reachableBackends: { refs: [{ kind: "MeshService", labels: { app: "x" } }] } };
  assert.deepEqual(referencesIn(spec), [
    { field: "reachableBackends.refs[0]", kind: "MeshService", labels: { app: "x" } },
  ]);
});
