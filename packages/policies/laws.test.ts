import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonValue } from "@bufbuild/protobuf";
import { compile, type Compiled } from "@heddle/engine/compile.ts";
import { reachOf } from "@heddle/engine/match/select.ts";
import { Memo } from "@heddle/engine/memo.ts";
import { serviceKey } from "@heddle/engine/plan/resolve.ts";
import { applyChanges, type Impact } from "@heddle/engine/snapshot/apply-changes.ts";
import { emptySnapshot, type MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import { assignmentsOf } from "@heddle/engine/testkit/assignments.ts";
import { anyHistory, anyMesh } from "@heddle/engine/testkit/any-mesh.ts";
import { decoded } from "@heddle/engine/testkit/decode.ts";
import { World } from "@heddle/engine/testkit/replay.ts";
import { resource } from "@heddle/engine/testkit/resource.ts";
import type { Resource } from "@heddle/model/resource.ts";
import type { TargetRef } from "@heddle/model/target-ref.ts";
import fc, { type Arbitrary } from "fast-check";
import { policies } from "./index.ts";

// Laws that hold whatever the policies are, over small meshes with everything in them, and these policies of ours.
const name = fc.constantFrom("a", "b", "c");
const top = fc.constantFrom<(TargetRef | undefined)[]>(
  undefined,
  { kind: "Dataplane", labels: { team: "x" } },
  { kind: "Dataplane", name: "p1", sectionName: "8080" },
  { kind: "MeshService", name: "a" },
);
const destination = fc.constantFrom<TargetRef[]>(
  { kind: "MeshService", name: "a" },
  { kind: "MeshService", name: "b", sectionName: "80" },
  { kind: "MeshService", labels: { team: "y" } },
);
const timeouts = fc.record(
  {
    connectionTimeout: fc.constantFrom("1s", "2s"),
    idleTimeout: fc.constantFrom("0s", "5m"),
    http: fc.record({ requestTimeout: fc.constantFrom("1s", "0s") }),
  },
  { requiredKeys: ["http"], noNullPrototype: true },
);
const spiffeID = fc.constantFrom(
  { type: "Exact" as const, value: "spiffe://default/a" },
  { type: "Prefix" as const, value: "spiffe://default/" },
);
const meshTimeout = fc.oneof(
  fc.record({
    to: fc.array(
      fc.record({
        targetRef: fc.oneof(
          destination,
          fc.constantFrom<TargetRef[]>({ kind: "Mesh" }, { kind: "MeshHTTPRoute", name: "a" }),
        ),
        default: timeouts,
      }),
    ),
  }),
  fc.record({
    rules: fc.array(fc.record({ matches: fc.array(fc.record({ spiffeID }), { maxLength: 1 }), default: timeouts })),
  }),
);
const permission = fc.oneof(
  fc.record({
    rules: fc.array(
      fc.record({
        default: fc.record({ allow: fc.array(fc.record({ spiffeID })), deny: fc.array(fc.record({ spiffeID })) }),
      }),
    ),
  }),
  fc.record({
    from: fc.array(
      fc.record({
        targetRef: fc.constantFrom<TargetRef[]>({ kind: "Mesh" }, { kind: "MeshService", name: "a" }),
        default: fc.record({ action: fc.constantFrom("Allow", "Deny") }),
      }),
    ),
  }),
);
const backendRef = fc.oneof(
  destination.map((ref) => ({ ...ref, port: 80, weight: 1 })),
  fc.constant({ kind: "MeshServiceSubset", name: "b", tags: { version: "v1" }, weight: 2 }),
  fc.constant({ kind: "MeshService", name: "nowhere", port: 80, weight: 3 }),
);
const path = fc.constantFrom(
  { type: "PathPrefix", value: "/" },
  { type: "PathPrefix", value: "/x" },
  { type: "Exact", value: "/x" },
);
const httpRoute = fc.record({
  to: fc.array(
    fc.record({
      targetRef: destination,
      rules: fc.array(
        fc.record({
          matches: fc.array(fc.record({ path }), { minLength: 1, maxLength: 2 }),
          default: fc.record({ backendRefs: fc.array(backendRef, { maxLength: 2 }) }),
        }),
        { maxLength: 3 },
      ),
    }),
    { maxLength: 2 },
  ),
});
const tcpRoute = fc.record({
  to: fc.array(
    fc.record({
      targetRef: destination,
      rules: fc.array(fc.record({ default: fc.record({ backendRefs: fc.array(backendRef, { maxLength: 2 }) }) }), {
        maxLength: 1,
      }),
    }),
    { maxLength: 2 },
  ),
});
const strategy = fc.record({
  to: fc.array(
    fc.record({
      targetRef: fc.oneof(destination, fc.constant<TargetRef>({ kind: "Mesh" })),
      default: fc.record(
        {
          loadBalancer: fc.constantFrom({ type: "RingHash" }, { type: "LeastRequest" }),
          hashPolicies: fc.constantFrom([], [{ type: "Header", header: { name: "x-user" } }]),
          localityAwareness: fc.constantFrom(
            { disabled: true },
            { localZone: { affinityTags: [{ key: "team" }, { key: "version" }] } },
            { crossZone: { failover: [{ to: { type: "Any" } }] } },
          ),
        },
        { requiredKeys: [], noNullPrototype: true },
      ),
    }),
    { maxLength: 2 },
  ),
});
const anyPolicy: Arbitrary<Resource> = fc
  .tuple(
    name,
    top,
    fc.oneof(
      meshTimeout.map((spec) => ["MeshTimeout", spec] as const),
      permission.map((spec) => ["MeshTrafficPermission", spec] as const),
      httpRoute.map((spec) => ["MeshHTTPRoute", spec] as const),
      tcpRoute.map((spec) => ["MeshTCPRoute", spec] as const),
      strategy.map((spec) => ["MeshLoadBalancingStrategy", spec] as const),
    ),
  )
  .map(([its, targetRef, [type, spec]]) => resource(type, its, { ...spec, targetRef }));

function compileAll(mesh: MeshSnapshot, memo: Memo): ReadonlyMap<string, Compiled> {
  return new Map([...mesh.dataplanes].map(([proxy, entry]) => [proxy, compile(mesh, entry, policies, memo)]));
}

/** Everything that Envoy would get, as names and versions, in an order of its own. */
function configuration(mesh: MeshSnapshot, compiled: Compiled): unknown {
  const resources = [...compiled.resources.values()].flatMap((byName) => [...byName.values()]);
  const endpoints = [...assignmentsOf(mesh, compiled)].map(([key, { version }]) => `${key} ${version}`);
  return {
    resources: resources.map((each) => `${each.typeUrl} ${each.name} ${each.version}`).toSorted(),
    endpoints: endpoints.toSorted(),
    unresolved: compiled.unresolved,
    identity: compiled.identity?.hash,
  };
}

function configurations(mesh: MeshSnapshot, memo: Memo): Record<string, unknown> {
  const all = [...compileAll(mesh, memo)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(all.map(([proxy, compiled]) => [proxy, configuration(mesh, compiled)]));
}

test("compile() gives the same bytes whatever the order in which the mesh came about", () => {
  fc.assert(
    fc.property(anyMesh, anyHistory(anyPolicy), fc.infiniteStream(fc.nat()), (mesh, history, random) => {
      const world = new World(mesh);
      for (const change of history.flat()) world.apply(change);
      const shuffled = world.snapshot((resources) =>
        resources
          .map((each) => ({ each, at: random.next().value ?? 0 }))
          .toSorted((a, b) => a.at - b.at)
          .map(({ each }) => each),
      );
      assert.deepEqual(configurations(shuffled, new Memo()), configurations(world.snapshot(), new Memo()));
    }),
    { numRuns: 150 },
  );
});

test("compile() gives the same with a memo full of other times, even a tiny one, as with an empty one", () => {
  fc.assert(
    fc.property(anyMesh, anyHistory(anyPolicy), (mesh, history) => {
      const memo = new Memo();
      const tiny = new Memo(3, 0);
      let snapshot = emptySnapshot(mesh, "zone-1");
      for (const batch of history) {
        snapshot = applyChanges(snapshot, batch).snapshot;
        const expected = configurations(snapshot, new Memo());
        assert.deepEqual(configurations(snapshot, memo), expected);
        assert.deepEqual(configurations(snapshot, tiny), expected);
      }
    }),
    { numRuns: 150 },
  );
});

test("compile() names everything that can change its result, so nobody else needs to be compiled again", () => {
  fc.assert(
    fc.property(anyMesh, anyHistory(anyPolicy), (mesh, history) => {
      let snapshot = emptySnapshot(mesh, "zone-1");
      for (const batch of history) {
        const { snapshot: next, impact } = applyChanges(snapshot, batch);
        const before = compileAll(snapshot, new Memo());
        const after = compileAll(next, new Memo());
        for (const [proxy, compiled] of before) {
          const now = after.get(proxy);
          if (now === undefined || isTold(proxy, compiled, impact, next)) continue;
          assert.deepEqual(configuration(next, now), configuration(snapshot, compiled), `${proxy} was not told`);
        }
        snapshot = next;
      }
    }),
    { numRuns: 300 },
  );
});

/** Whether a proxy would look again after a change, by what the change and its last compilation say. */
function isTold(proxy: string, { dependsOn, destinations }: Compiled, impact: Impact, mesh: MeshSnapshot): boolean {
  const entry = mesh.dataplanes.get(proxy);
  if (impact.everybody || impact.dataplanes.has(proxy) || entry === undefined) return true;
  if (impact.policies.some((policy) => reachOf(policy, mesh, entry.resource) !== undefined)) return true;
  const used = new Set([...dependsOn, ...[...destinations.values()].map(serviceKey)]);
  const changed = [...impact.services, ...impact.endpoints];
  const anyService = ["MeshService", "MeshExternalService", "MeshMultiZoneService"].some(
    (kind) => dependsOn.has(`${kind}/*`) && [...impact.services].some((key) => key.startsWith(`${kind}/`)),
  );
  return anyService || changed.some((key) => used.has(key));
}

test("compile() never names a cluster that it does not give", () => {
  fc.assert(
    fc.property(anyMesh, anyHistory(anyPolicy), (mesh, history) => {
      const world = new World(mesh);
      for (const change of history.flat()) world.apply(change);
      for (const { resources } of compileAll(world.snapshot(), new Memo()).values()) {
        const all = [...resources].flatMap(([type, byName]) => [...byName.values()].map((each) => ({ type, each })));
        const clusters = new Set(all.filter(({ type }) => type.endsWith(".Cluster")).map(({ each }) => each.name));
        // The one that is never there on purpose: for connections to backends that do not exist.
        clusters.add("heddle.nowhere");
        const routes = new Set(all.filter(({ type }) => type.endsWith("Configuration")).map(({ each }) => each.name));
        for (const { each } of all) {
          const json = decoded(each);
          for (const cluster of valuesOf(json, "cluster")) assert.ok(clusters.has(cluster), `there is no ${cluster}`);
          for (const route of valuesOf(json, "routeConfigName")) assert.ok(routes.has(route), `there is no ${route}`);
        }
      }
    }),
    { numRuns: 100 },
  );
});

function valuesOf(json: JsonValue, field: string): readonly string[] {
  if (typeof json !== "object" || json === null) return [];
  if (Array.isArray(json)) return json.flatMap((each) => valuesOf(each, field));
  return Object.entries(json).flatMap(([key, value]) =>
    key === field && typeof value === "string" ? [value] : valuesOf(value, field),
  );
}

test("compile() leaves listeners as they are when permissions, routes and timeouts of HTTP services change", () => {
  const proxies = [
    resource("Dataplane", "p1", {
      networking: {
        address: "10.0.0.1",
        inbound: [{ port: 8080, servicePort: 1, protocol: "http" }],
        outbound: [{ port: 20_000, backendRef: { kind: "MeshService", name: "a", port: 80 } }],
      },
    }),
    resource("MeshService", "a", { selector: {}, ports: [{ port: 80, appProtocol: "http" }] }),
    resource("MeshService", "b", { selector: {}, ports: [{ port: 80, appProtocol: "http" }] }),
  ];
  const strict = { mtls: { enabledBackend: "ca", backends: [{ name: "ca", type: "builtin" as const }] } };
  const listeners = (some: readonly Resource[]): unknown => {
    const world = new World(resource("Mesh", "default", strict));
    for (const each of [...proxies, ...some]) world.apply({ what: "put", resource: each });
    const compiled = compileAll(world.snapshot(), new Memo()).get("p1");
    const [, byName] = [...(compiled?.resources ?? [])].find(([type]) => type.endsWith(".Listener")) ?? [];
    return [...(byName ?? [])].map(([key, { version }]) => `${key} ${version}`);
  };
  const untouched = listeners([]);
  fc.assert(
    fc.property(fc.array(anyPolicy, { minLength: 1 }), (some) => assert.deepEqual(listeners(some), untouched)),
    { numRuns: 200 },
  );
});
