import assert from "node:assert/strict";
import { test } from "node:test";
import fc, { type Arbitrary } from "fast-check";
import { loadAssignment } from "../emit/endpoints.ts";
import type { Endpoint } from "../snapshot/service-view.ts";
import { resource } from "../testkit/resource.ts";
import type { EndpointOrder, FailoverRule } from "./balancing.ts";
import {
  type Caller,
  type CallerOrder,
  defaultOrder,
  type EndpointGroup,
  groupsOf,
  orderFor,
  relevantOrder,
} from "./locality.ts";

const ZONES = ["a", "b", "c", "d"];
const zone = fc.constantFrom(...ZONES);
const tags = fc.record(
  { node: fc.constantFrom("n1", "n2", "n3"), rack: fc.constantFrom("r1", "r2") },
  { requiredKeys: [], noNullPrototype: true },
) as Arbitrary<Endpoint["tags"]>;
const endpoints: Arbitrary<readonly Endpoint[]> = fc
  .array(fc.record({ zone, tags }))
  .map((all) => all.map((each, index) => ({ ...each, address: `10.0.0.${index}`, port: 80 })));
const rule: Arbitrary<FailoverRule> = fc.oneof(
  fc.record({
    from: fc.option(fc.uniqueArray(zone, { minLength: 1 }), { nil: undefined }),
    to: fc.constantFrom("Only" as const, "AnyExcept" as const),
    zones: fc.uniqueArray(zone, { minLength: 1 }),
  }),
  fc.record({
    from: fc.option(fc.uniqueArray(zone, { minLength: 1 }), { nil: undefined }),
    to: fc.constantFrom("Any" as const, "None" as const),
    zones: fc.constant([]),
  }),
);
const order: Arbitrary<EndpointOrder & { readonly by: "zone" }> = fc.record({
  by: fc.constant("zone" as const),
  affinities: fc.uniqueArray(
    fc.record({ key: fc.constantFrom("node", "rack", "none"), weight: fc.integer({ min: 1, max: 900 }) }),
    { selector: ({ key }) => key },
  ),
  others: fc.oneof(fc.constant("anybody" as const), fc.array(rule, { maxLength: 4 })),
});
const caller: Arbitrary<Caller> = fc
  .record({ zone, tags })
  .map((its) => callerIn(its.zone, { networking: { address: "10.1.0.1", inbound: [{ port: 80, tags: its.tags }] } }));

function callerIn(its: string, spec: Caller["resource"]["spec"], labels = {}): Caller {
  return {
    resource: resource("Dataplane", "p", spec, { labels }),
    mesh: resource("Mesh", "default", {}),
    zone: its,
  };
}

function membersOf(groups: readonly EndpointGroup[]): readonly string[] {
  return groups.flatMap((group) => group.endpoints.map(({ address }) => address)).toSorted();
}

test("groupsOf() puts every instance into at most one group, and leaves out only what no rule leads to", () => {
  fc.assert(
    fc.property(endpoints, order, caller, (all, wanted, from) => {
      const groups = groupsOf(all, orderFor(wanted, from));
      const members = membersOf(groups);
      assert.equal(new Set(members).size, members.length);
      const left = all.filter(({ address }) => !members.includes(address));
      for (const each of left) {
        assert.notEqual(each.zone, from.zone);
        assert.ok(wanted.others !== "anybody" && !mayCall(wanted.others, from.zone, each.zone), each.zone);
      }
      for (const group of groups.filter((each) => each.zone !== from.zone)) {
        assert.ok(wanted.others === "anybody" || mayCall(wanted.others, from.zone, group.zone), group.zone);
      }
    }),
  );
});

// The rules read by themselves, another way than the code does it: one zone at a time, until a rule says stop.
function mayCall(rules: readonly FailoverRule[], from: string, to: string): boolean {
  for (const each of rules) {
    if (each.from !== undefined && !each.from.includes(from)) continue;
    if (each.to === "None") return false;
    if (each.to === "Any") return true;
    if (each.zones.includes(to) === (each.to === "Only")) return true;
  }
  return false;
}

test("groupsOf() calls the own zone first, other zones by the first rule that leads there, without gaps", () => {
  fc.assert(
    fc.property(endpoints, order, caller, (all, wanted, from) => {
      const groups = groupsOf(all, orderFor(wanted, from));
      const priorities = [...new Set(groups.map(({ priority }) => priority))];
      assert.deepEqual(
        priorities,
        priorities.map((_, index) => index),
      );
      const isHere = all.some((each) => each.zone === from.zone);
      for (const group of groups) {
        assert.equal(group.priority === 0 && isHere, group.zone === from.zone, `${group.zone} ${group.priority}`);
      }
      for (const one of groups) {
        for (const other of groups) {
          if (wanted.others === "anybody" || one.zone === from.zone || other.zone === from.zone) continue;
          const [a, b] = [one, other].map((each) =>
            firstRule(wanted.others as readonly FailoverRule[], from.zone, each.zone),
          );
          assert.equal(Math.sign(one.priority - other.priority), Math.sign((a ?? 0) - (b ?? 0)));
        }
      }
    }),
  );
});

function firstRule(rules: readonly FailoverRule[], from: string, to: string): number {
  return rules.findIndex((each, index) => mayCall(rules.slice(0, index + 1), from, to));
}

test("groupsOf() weighs what is near as asked, the rest of the zone 1, and other zones by their instances", () => {
  fc.assert(
    fc.property(endpoints, order, caller, (all, wanted, from) => {
      const groups = groupsOf(all, orderFor(wanted, from));
      for (const group of groups) {
        if (wanted.affinities.length === 0) {
          assert.equal(group.weight, undefined);
        } else if (group.zone !== from.zone) {
          assert.equal(group.weight, group.endpoints.length);
        } else {
          const [key] = group.subZone.split("=");
          assert.equal(group.weight, wanted.affinities.find((each) => each.key === key)?.weight ?? 1);
        }
      }
      const local = groups.filter((each) => each.zone === from.zone && each.subZone !== "");
      const sum = local.reduce((total, { weight = 0 }) => total + weight, 0);
      assert.ok(sum <= wanted.affinities.reduce((total, { weight }) => total + weight, 0));
    }),
  );
});

test("groupsOf() puts an instance to the first tag of the list that it shares with the caller", () => {
  fc.assert(
    fc.property(endpoints, order, caller, (all, wanted, from) => {
      const own = from.resource.spec.networking.inbound?.[0]?.tags ?? {};
      for (const group of groupsOf(all, orderFor(wanted, from))) {
        for (const each of group.endpoints) {
          const near = wanted.affinities.find(({ key }) => own[key] !== undefined && own[key] === each.tags[key]);
          const expected = near === undefined || each.zone !== from.zone ? "" : `${near.key}=${each.tags[near.key]}`;
          assert.equal(group.subZone, expected);
        }
      }
    }),
  );
});

test("a rule None never leads out of the zone, nor does anything after it", () => {
  fc.assert(
    fc.property(endpoints, order, fc.array(rule), caller, (all, wanted, after, from) => {
      const none: FailoverRule = { to: "None", zones: [] };
      const groups = groupsOf(all, orderFor({ ...wanted, others: [none, ...after] }, from));
      for (const group of groups) assert.equal(group.zone, from.zone);
    }),
  );
});

test("relevantOrder() changes nothing for anybody, and has only forms that instances make a difference for", () => {
  fc.assert(
    fc.property(endpoints, order, fc.array(caller, { minLength: 1, maxLength: 30 }), (all, wanted, callers) => {
      const forms = new Set<string>();
      for (const from of callers) {
        const own = orderFor(wanted, from);
        const relevant = relevantOrder(own, all);
        assert.deepEqual(loadAssignment("s", all, relevant), loadAssignment("s", all, own));
        if (from.zone === "a") forms.add(relevant.key);
      }
      const values = (key: string): number => new Set(all.flatMap((each) => each.tags[key] ?? [])).size;
      assert.ok(forms.size <= (values("node") + 1) * (values("rack") + 1));
    }),
  );
});

test("orderFor() gives callers with the same zone and values the same key, and others another", () => {
  fc.assert(
    fc.property(endpoints, order, caller, caller, (all, wanted, one, other) => {
      const [a, b] = [one, other].map((each) => orderFor(wanted, each)) as [CallerOrder, CallerOrder];
      if (a.key === b.key) assert.deepEqual(a, b);
      else assert.notDeepEqual({ ...a, key: "" }, { ...b, key: "" });
      if (a.key === b.key) assert.deepEqual(groupsOf(all, a), groupsOf(all, b));
    }),
  );
});

test("a caller's zone and values are those of its tags, else of its labels, else its control plane's", () => {
  const wanted: EndpointOrder = { by: "zone", affinities: [{ key: "node", weight: 9 }], others: "anybody" };
  const networking = { address: "10.0.0.1" };
  const tagged = { ...networking, inbound: [{ port: 1, tags: { node: "n2", "kuma.io/zone": "east" } }] };
  const gateway = { ...networking, gateway: { tags: { "kuma.io/service": "g", node: "n3" } } };
  const labels = { node: "n1", "kuma.io/zone": "west" };
  const seen = [
    orderFor(wanted, callerIn("home", { networking: tagged }, labels)),
    orderFor(wanted, callerIn("home", { networking }, labels)),
    orderFor(wanted, callerIn("home", { networking: gateway })),
    orderFor(wanted, callerIn("home", { networking })),
  ].map((each) => (each.by === "zone" ? [each.zone, ...each.affinities.map(({ value }) => value)] : []));
  assert.deepEqual(seen, [["east", "n2"], ["west", "n1"], ["home", "n3"], ["home"]]);
});

test("without a policy the own zone comes first, for Kuma 2.x service tags only when their mesh says so", () => {
  const from = callerIn("a", { networking: { address: "10.0.0.1" } });
  const aware = { ...from, mesh: resource("Mesh", "m", { routing: { localityAwareLoadBalancing: true } }) };
  assert.equal(defaultOrder(from, { kind: "MeshService" }).by, "zone");
  assert.equal(defaultOrder(from, { kind: "Service" }).by, "nothing");
  assert.equal(defaultOrder(aware, { kind: "Service" }).by, "zone");
});
