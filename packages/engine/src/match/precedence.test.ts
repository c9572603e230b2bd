import assert from "node:assert/strict";
import { test } from "node:test";
import { TARGET_KINDS, type TargetRef } from "@heddle/model/target-ref.ts";
import fc, { type Arbitrary } from "fast-check";
import { resource } from "../testkit/resource.ts";
import { byEntryPrecedence, byPrecedence, type Entry, type PolicySpec } from "./precedence.ts";

const ref: Arbitrary<TargetRef> = fc.record(
  {
    kind: fc.constantFrom(...TARGET_KINDS),
    name: fc.constantFrom("a", "b"),
    sectionName: fc.constantFrom("http", "8080"),
  },
  { requiredKeys: ["kind"] },
);
const policy = fc
  .record({
    name: fc.constantFrom("a", "b", "c", "d"),
    display: fc.constantFrom(undefined, "a", "z"),
    origin: fc.constantFrom(undefined, "global", "zone"),
    role: fc.constantFrom(undefined, "system", "producer", "consumer", "workload-owner"),
    targetRef: fc.option(ref, { nil: undefined }),
  })
  .map(({ name, display, origin, role, targetRef }) => {
    const all = { "kuma.io/display-name": display, "kuma.io/origin": origin, "kuma.io/policy-role": role };
    const labels = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    return resource<PolicySpec>("MeshTimeout", name, { targetRef }, { labels: labels as Record<string, string> });
  });
const entry: Arbitrary<Entry> = fc
  .record({ policy, index: fc.nat(2), ref: fc.option(ref, { nil: undefined }) })
  .map((each) => ({ ...each, section: "to" as const, item: {} }));

for (const [name, compare, any] of [
  ["byPrecedence()", byPrecedence, policy],
  ["byEntryPrecedence()", byEntryPrecedence, entry],
] as readonly [string, (a: unknown, b: unknown) => number, Arbitrary<unknown>][]) {
  test(`${name} says the opposite when asked the other way round`, () => {
    fc.assert(fc.property(any, any, (a, b) => assert.equal(Math.sign(compare(a, b)) + Math.sign(compare(b, a)), 0)));
  });

  test(`${name} has no circles`, () => {
    fc.assert(
      fc.property(any, any, any, (a, b, c) => {
        if (compare(a, b) <= 0 && compare(b, c) <= 0) assert.ok(compare(a, c) <= 0);
      }),
      { numRuns: 2_000 },
    );
  });
}

test("byPrecedence() never takes two policies of different names as equal, so the order they came in cannot show", () => {
  fc.assert(
    fc.property(policy, policy, (a, b) => {
      fc.pre(a.name !== b.name);
      assert.notEqual(byPrecedence(a, b), 0);
    }),
  );
});

const at = (name: string, targetRef: TargetRef | undefined, labels: Record<string, string> = {}) =>
  resource<PolicySpec>("MeshTimeout", name, { targetRef }, { labels });

/** Each stands before the stronger one. */
const ladder = [
  at("mesh", undefined),
  at("all-dataplanes", { kind: "Dataplane" }),
  at("labelled-section", { kind: "Dataplane", labels: { app: "web" }, sectionName: "http" }),
  at("named", { kind: "Dataplane", name: "web-1" }),
  at("named-section", { kind: "Dataplane", name: "web-1", sectionName: "http" }),
  at("subset", { kind: "MeshSubset", tags: { team: "a" } }),
  at("service", { kind: "MeshService", name: "web" }),
  at("service-subset", { kind: "MeshServiceSubset", name: "web", tags: { version: "v1" } }),
];

test("byPrecedence() prefers what says more about where a policy applies", () => {
  assert.deepEqual(
    ladder
      .toReversed()
      .toSorted(byPrecedence)
      .map(({ name }) => name),
    ladder.map(({ name }) => name),
  );
});

test("byPrecedence() prefers a zone's own policy, then the owner's of the workload, then the first name", () => {
  const order = [
    at("a", undefined, { "kuma.io/origin": "global" }),
    at("z", undefined, { "kuma.io/origin": "zone", "kuma.io/policy-role": "system" }),
    at("y", undefined, { "kuma.io/origin": "zone", "kuma.io/policy-role": "consumer" }),
    at("x", undefined, { "kuma.io/origin": "zone", "kuma.io/policy-role": "consumer" }),
    at("w", undefined, { "kuma.io/origin": "zone", "kuma.io/policy-role": "workload-owner" }),
  ];
  assert.deepEqual(order.toReversed().toSorted(byPrecedence), order);
});

test("byEntryPrecedence() puts the target of the policy above what its entries point at", () => {
  const entryOf = (policyAt: TargetRef | undefined, to: TargetRef): Entry => ({
    policy: at("p", policyAt),
    section: "to",
    index: 0,
    ref: to,
    item: {},
  });
  const order = [
    entryOf(undefined, { kind: "Mesh" }),
    entryOf(undefined, { kind: "MeshService", name: "backend" }),
    entryOf(undefined, { kind: "MeshService", name: "backend", sectionName: "http" }),
    entryOf(undefined, { kind: "MeshHTTPRoute", name: "route" }),
    entryOf({ kind: "Dataplane" }, { kind: "Mesh" }),
  ];
  assert.deepEqual(order.toReversed().toSorted(byEntryPrecedence), order);
});
