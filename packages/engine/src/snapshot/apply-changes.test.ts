import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { anyHistory, anyMesh } from "../testkit/any-mesh.ts";
import { ONLINE } from "../testkit/mesh-of.ts";
import { World } from "../testkit/replay.ts";
import { resource } from "../testkit/resource.ts";
import { applyChanges, type MeshChange } from "./apply-changes.ts";
import { emptySnapshot, type MeshSnapshot } from "./snapshot.ts";

const today = fc
  .record({ name: fc.constantFrom("a", "b", "c"), kind: fc.constantFrom("Mesh", "Dataplane") })
  .map(({ name, kind }) => resource("MeshTimeout", name, { targetRef: { kind }, to: [] }));
const every = { match: { "kuma.io/service": "*" } };
/** Policies of Kuma 2.x, of which the second depends on the Mesh: one to three policies of today each. */
const old = fc
  .record({
    name: fc.constantFrom("a", "b"),
    type: fc.constantFrom("Timeout", "TrafficLog"),
    sources: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ name, type, sources }) => {
    const conf = type === "Timeout" ? { connectTimeout: "1s" } : { backend: "file" };
    return resource(type, name, { sources: Array.from({ length: sources }, () => every), destinations: [every], conf });
  });
const policies = fc.oneof<[typeof today, typeof old]>(today, old);

/** All that others read of a snapshot, in an order of its own. */
function readable(mesh: MeshSnapshot): unknown {
  const sorted = <Value>(map: ReadonlyMap<string, Value>): [string, Value][] =>
    [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    mesh: mesh.mesh,
    dataplanes: sorted(mesh.dataplanes),
    services: sorted(mesh.services),
    externalServices: sorted(mesh.externalServices),
    multiZoneServices: sorted(mesh.multiZoneServices),
    secrets: sorted(mesh.secrets),
    identities: sorted(mesh.identities),
    trusts: sorted(mesh.trusts),
    legacy: sorted(mesh.legacy),
    policies: sorted(mesh.policies).filter(([, list]) => list.length > 0),
    instances: sorted(mesh.instances).map(([key, names]) => [key, [...names].toSorted()]),
    selectors: sorted(mesh.selectors).map(([key, names]) => [key, [...names].toSorted()]),
    views: sorted(mesh.views),
  };
}

test("applyChanges() step by step comes to what one step from nothing comes to", () => {
  fc.assert(
    fc.property(anyMesh, anyHistory(policies), (mesh, history) => {
      const world = new World(mesh);
      const end = history.reduce(
        (snapshot, batch) => applyChanges(snapshot, batch).snapshot,
        emptySnapshot(mesh, "zone-1"),
      );
      for (const change of history.flat()) world.apply(change);
      assert.deepEqual(readable(end), readable(world.snapshot()));
    }),
    { numRuns: 1_000 },
  );
});

test("applyChanges() comes to the same whatever the order of the resources", () => {
  fc.assert(
    fc.property(anyMesh, anyHistory(policies), fc.infiniteStream(fc.nat()), (mesh, history, random) => {
      const world = new World(mesh);
      for (const change of history.flat()) world.apply(change);
      const shuffled = world.snapshot((resources) =>
        resources
          .map((each) => ({ each, at: random.next().value ?? 0 }))
          .toSorted((a, b) => a.at - b.at)
          .map(({ each }) => each),
      );
      assert.deepEqual(readable(shuffled), readable(world.snapshot()));
    }),
    { numRuns: 500 },
  );
});

test("applyChanges() never changes the snapshot it was given", () => {
  fc.assert(
    fc.property(anyMesh, anyHistory(policies), (mesh, history) => {
      let snapshot = emptySnapshot(mesh, "zone-1");
      for (const batch of history) {
        const before = structuredClone(readable(snapshot));
        const next = applyChanges(snapshot, batch).snapshot;
        assert.deepEqual(readable(snapshot), before);
        snapshot = next;
      }
    }),
    { numRuns: 300 },
  );
});

test("applyChanges() says of every view that differs that it does", () => {
  fc.assert(
    fc.property(anyMesh, anyHistory(policies), (mesh, history) => {
      let snapshot = emptySnapshot(mesh, "zone-1");
      for (const batch of history) {
        const { snapshot: next, impact } = applyChanges(snapshot, batch);
        for (const key of new Set([...snapshot.views.keys(), ...next.views.keys()])) {
          const [old, view] = [snapshot.views.get(key), next.views.get(key)];
          const told = impact.services.has(key) || impact.endpoints.has(key);
          if (!told) assert.deepEqual(view, old, `${key} changed and nobody was told`);
          // Who compares destinations by reference may do so.
          if (!impact.services.has(key)) {
            for (const [port, { destination }] of view?.ports ?? []) {
              assert.equal(destination, old?.ports.get(port)?.destination);
            }
          }
        }
        snapshot = next;
      }
    }),
    { numRuns: 500 },
  );
});

const backend = resource("Dataplane", "backend-1", {
  networking: { address: "10.0.0.1", inbound: [{ port: 8080, tags: { "kuma.io/service": "backend" } }] },
});
const start = emptySnapshot(resource("Mesh", "default", {}), "zone-1");

test("applyChanges() tells an instance that comes or goes from a service that clients must configure anew", () => {
  const put: MeshChange = { what: "put", resource: backend };
  const arrived = applyChanges(start, [put]);
  assert.deepEqual([...arrived.impact.services], ["Service/backend"]);
  const online = applyChanges(arrived.snapshot, [{ what: "facts", dataplane: "backend-1", facts: ONLINE }]);
  assert.deepEqual([...online.impact.services], []);
  assert.deepEqual([...online.impact.endpoints], ["Service/backend"]);
  assert.equal(online.snapshot.views.get("Service/backend")?.ports.get(0)?.endpoints.length, 1);
  const gone = applyChanges(online.snapshot, [{ what: "delete", resource: backend }]);
  assert.deepEqual([...gone.impact.services], ["Service/backend"]);
  assert.equal(gone.snapshot.views.has("Service/backend"), false);
});

test("applyChanges() shares what a change does not touch", () => {
  const { snapshot } = applyChanges(start, [{ what: "put", resource: backend }]);
  const policy = resource("MeshTimeout", "slow", { to: [] });
  const after = applyChanges(snapshot, [{ what: "put", resource: policy }]).snapshot;
  assert.equal(after.dataplanes, snapshot.dataplanes);
  assert.equal(after.views, snapshot.views);
  assert.equal(after.instances, snapshot.instances);
  assert.notEqual(after.policies, snapshot.policies);
});

test("applyChanges() reports a policy in its old and its new form, so that who was selected hears of it", () => {
  const before = resource("MeshTimeout", "slow", { targetRef: { kind: "Dataplane", name: "a" } });
  const after = resource("MeshTimeout", "slow", { targetRef: { kind: "Dataplane", name: "b" } });
  const { snapshot } = applyChanges(start, [{ what: "put", resource: before }]);
  const { impact } = applyChanges(snapshot, [{ what: "put", resource: after }]);
  assert.deepEqual(impact.policies, [before, after]);
});

test("applyChanges() forgets what it knew of a proxy that was deleted", () => {
  const { snapshot } = applyChanges(start, [
    { what: "put", resource: backend },
    { what: "facts", dataplane: "backend-1", facts: ONLINE },
    { what: "delete", resource: backend },
    { what: "put", resource: backend },
  ]);
  assert.equal(snapshot.dataplanes.get("backend-1")?.facts.online, false);
});

test("applyChanges() tells clients of a service that became younger: another may now be meant by its labels", () => {
  const aged = (creationTime: string) =>
    resource("MeshService", "backend", { ports: [{ port: 80 }] }, { labels: { team: "a" }, creationTime });
  const { snapshot } = applyChanges(start, [{ what: "put", resource: aged("2026-01-01T00:00:00Z") }]);
  const { impact } = applyChanges(snapshot, [{ what: "put", resource: aged("2026-01-02T00:00:00Z") }]);
  assert.deepEqual([...impact.services], ["MeshService/backend"]);
});
