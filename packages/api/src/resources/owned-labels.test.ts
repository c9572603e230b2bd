import assert from "node:assert/strict";
import { test } from "node:test";
import { TEST_KINDS } from "../testkit/fake-ports.ts";
import { kindOf } from "./find.ts";
import { ownedLabels, type Place, withOwnedLabels } from "./owned-labels.ts";

const zone: Place = { mode: "zone", zone: "east", environment: "universal" };
const kubernetes: Place = { ...zone, environment: "kubernetes" };
const global: Place = { ...zone, mode: "global" };
const local = { "kuma.io/mesh": "m", "kuma.io/origin": "zone", "kuma.io/zone": "east" };

const computed = [
  ["Mesh", zone, { "kuma.io/origin": "zone" }],
  ["Mesh", global, { "kuma.io/origin": "global" }],
  ["Dataplane", zone, { ...local, "kuma.io/env": "universal" }],
  ["Dataplane", kubernetes, { ...local, "kuma.io/env": "kubernetes" }],
  ["MeshTimeout", zone, { ...local, "kuma.io/env": "universal", "kuma.io/policy-role": "system" }],
  ["MeshTimeout", kubernetes, { ...local, "kuma.io/env": "kubernetes" }],
  ["MeshTimeout", global, { "kuma.io/mesh": "m", "kuma.io/origin": "global", "kuma.io/policy-role": "system" }],
  ["GlobalSecret", zone, { "kuma.io/origin": "zone" }],
] as const;

for (const [type, place, labels] of computed) {
  test(`ownedLabels() of a ${type} in a ${place.mode} control plane on ${place.environment}`, () => {
    const kind = kindOf(TEST_KINDS, type);
    const resource = { type, mesh: kind.scope === "Mesh" ? "m" : "", name: "x", labels: {}, spec: {} };
    assert.deepEqual(ownedLabels(kind, resource, place), { "kuma.io/display-name": "x", ...labels });
  });
}

test("ownedLabels() marks a Dataplane that is a zone proxy", () => {
  const spec = { networking: { address: "192.0.2.1", listeners: [{ type: "ZoneIngress", port: 10_001 }] } };
  const resource = { type: "Dataplane", mesh: "m", name: "ingress", labels: {}, spec };
  const labels = ownedLabels(kindOf(TEST_KINDS, "Dataplane"), resource, zone);
  assert.equal(labels["kuma.io/listener-zoneingress"], "enabled");
});

test("withOwnedLabels() takes equal values and the user's own labels, and tells of every other value", () => {
  const kind = kindOf(TEST_KINDS, "MeshTimeout");
  const resource = (labels: Record<string, string>) => ({
    type: "MeshTimeout",
    mesh: "m",
    name: "x",
    labels,
    spec: {},
  });
  const good = withOwnedLabels(kind, resource({ team: "red", "kuma.io/zone": "east" }), zone);
  assert.ok(good.ok && good.value.labels["team"] === "red");
  const bad = withOwnedLabels(kind, resource({ "kuma.io/zone": "west", "kuma.io/policy-role": "producer" }), zone);
  assert.deepEqual(!bad.ok && bad.violations.map((violation) => violation.field), [
    "labels[kuma.io/zone]",
    "labels[kuma.io/policy-role]",
  ]);
});
