import assert from "node:assert/strict";
import { test } from "node:test";
import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";
import type { Labels } from "@heddle/model/labels.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { policies } from "@heddle/policies/index.ts";
import fc, { type Arbitrary } from "fast-check";
import { Memo } from "../memo.ts";
import { resolveBackend } from "../plan/resolve.ts";
import { meshOf } from "../testkit/mesh-of.ts";
import { resource } from "../testkit/resource.ts";
import type { MeshSnapshot } from "../snapshot/snapshot.ts";
import { inboundRules, match, outboundConf, type Selected } from "./match.ts";

// What Kuma 2.x does (pkg/core/policy/connection_matcher.go of its 2.x releases), told in the plainest way: of all
// policies that mean a connection the one whose selectors say most counts, alone.

interface Written {
  readonly sources: readonly { readonly match: Labels }[];
  readonly destinations: readonly { readonly match: Labels }[];
}
type Policy = Resource<Written>;

const matches = (selector: Labels, tags: Labels): boolean =>
  Object.entries(selector).every(([key, value]) => key in tags && (value === "*" || value === tags[key]));
const score = (selector: Labels): number =>
  Object.keys(selector).length * 100 + Object.values(selector).filter((value) => value !== "*").length;

/** The most that any selector that means one of these sets of tags says; undefined when none does. */
function best(selectors: Written["sources"], tagSets: readonly Labels[]): number | undefined {
  const meant = selectors.filter((selector) => tagSets.some((tags) => matches(selector.match, tags)));
  return meant.length === 0 ? undefined : Math.max(...meant.map((selector) => score(selector.match)));
}

function winner(scored: readonly (readonly [Policy, number | undefined])[]): string | undefined {
  const meant = scored.filter((each): each is readonly [Policy, number] => each[1] !== undefined);
  const [first] = meant.toSorted(
    ([a, one], [b, other]) =>
      other - one || Date.parse(b.creationTime) - Date.parse(a.creationTime) || (a.name < b.name ? -1 : 1),
  );
  return first?.[0].name;
}

function forConnection(all: readonly Policy[], proxy: readonly Labels[], service: string): string | undefined {
  return winner(
    all.map((policy) => {
      const source = best(policy.spec.sources, proxy);
      const destination = best(policy.spec.destinations, [{ "kuma.io/service": service }]);
      return [policy, source === undefined || destination === undefined ? undefined : source + destination] as const;
    }),
  );
}

function forInbound(all: readonly Policy[], inbound: Labels): string | undefined {
  return winner(all.map((policy) => [policy, best(policy.spec.destinations, [inbound])] as const));
}

const SERVICES = ["a", "b", "c"];
const service = fc.constantFrom(...SERVICES);
const record = <Fields>(
  model: { [Field in keyof Fields]: Arbitrary<Fields[Field]> },
  requiredKeys?: (keyof Fields)[],
) => fc.record(model, { noNullPrototype: true, ...(requiredKeys && { requiredKeys }) }) as Arbitrary<Fields>;
const tags = record<Labels>(
  { "kuma.io/service": service, version: fc.constantFrom("v1", "v2"), team: fc.constantFrom("x", "y") },
  ["kuma.io/service"],
);
const selectorTags = record<Labels>(
  {
    "kuma.io/service": fc.oneof(service, fc.constant("*")),
    version: fc.constantFrom("v1", "v2", "*"),
    team: fc.constantFrom("x", "*"),
  },
  ["kuma.io/service"],
);
const selectors = (of: Arbitrary<Labels>) =>
  fc.array(
    of.map((each) => ({ match: each })),
    { minLength: 1, maxLength: 3 },
  );
const serviceOnly = fc.oneof(service, fc.constant("*")).map((each): Labels => ({ "kuma.io/service": each }));

const proxies = fc
  .array(
    fc.uniqueArray(record({ port: fc.constantFrom(80, 81), tags }), { minLength: 1, selector: ({ port }) => port }),
    {
      minLength: 1,
      maxLength: 3,
    },
  )
  .map((all) =>
    all.map((inbound, index) =>
      resource<DataplaneSpec>("Dataplane", `p${index}`, { networking: { address: `10.0.0.${index}`, inbound } }),
    ),
  );

function written(type: string, destinations: Arbitrary<Labels>, conf: object): Arbitrary<readonly Policy[]> {
  const one = record({
    name: fc.constantFrom("one", "two", "three", "four"),
    day: fc.constantFrom("01", "02"),
    sources: selectors(selectorTags),
    destinations: selectors(destinations),
  }).map(({ name, day, ...spec }) =>
    resource(type, name, { ...spec, ...conf }, { creationTime: `2026-01-${day}T00:00:00Z` }),
  );
  return fc.uniqueArray(one, { maxLength: 4, selector: ({ name }) => name });
}

function worldOf(all: readonly Resource[]): MeshSnapshot {
  return meshOf([resource("Mesh", "default", {}), ...all]);
}

function selectedOf(mesh: MeshSnapshot, proxy: Resource<DataplaneSpec>, kind: string): Selected {
  const selected = match(mesh, proxy, policies, new Memo()).find(({ policy }) => policy.kind.type === kind);
  assert.ok(selected !== undefined);
  return selected;
}

const clientSide = [
  ["TrafficRoute", "MeshTCPRoute", { conf: { destination: { "kuma.io/service": "a" } } }],
  ["Timeout", "MeshTimeout", { conf: { connectTimeout: "1s" } }],
] as const;

for (const [type, kind, conf] of clientSide) {
  test(`of several ${type}s that mean a connection the most specific counts, alone`, () => {
    fc.assert(
      fc.property(proxies, written(type, serviceOnly, conf), (dataplanes, all) => {
        const mesh = worldOf([...dataplanes, ...all]);
        for (const proxy of dataplanes) {
          const own = (proxy.spec.networking.inbound ?? []).map((inbound) => inbound.tags ?? {});
          const selected = selectedOf(mesh, proxy, kind);
          for (const name of SERVICES) {
            const { destination } = resolveBackend(mesh, { kind: "Service", tags: { "kuma.io/service": name } });
            if (destination === undefined) continue;
            const expected = forConnection(all, own, name);
            const origins = (outboundConf(selected, destination)?.origins ?? []).map((origin) => origin.name);
            assert.deepEqual(origins, expected === undefined ? [] : [expected]);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
}

test("of several TrafficPermissions that mean an inbound the most specific counts, and lets in whom it names", () => {
  fc.assert(
    fc.property(proxies, written("TrafficPermission", selectorTags, {}), (dataplanes, all) => {
      const mesh = worldOf([...dataplanes, ...all]);
      for (const proxy of dataplanes) {
        const selected = selectedOf(mesh, proxy, "MeshTrafficPermission");
        for (const inbound of proxy.spec.networking.inbound ?? []) {
          const expected = forInbound(all, inbound.tags ?? {});
          const { rules } = inboundRules(selected, String(inbound.port));
          const names = new Set(rules.map(({ origin }) => origin.name));
          assert.deepEqual([...names], expected === undefined ? [] : [expected]);
          const permission = all.find(({ name }) => name === expected);
          for (const caller of dataplanes) assert.equal(isLetIn(caller, rules), isNamed(caller, permission));
        }
      }
    }),
    { numRuns: 500 },
  );
});

// A caller shows the tags of all its inbounds, in one certificate; here only of the first, so that both speak of one set.
const shown = (caller: Resource<DataplaneSpec>): Labels => caller.spec.networking.inbound?.[0]?.tags ?? {};

function isNamed(caller: Resource<DataplaneSpec>, permission: Policy | undefined): boolean {
  return permission?.spec.sources.some((source) => matches(source.match, shown(caller))) === true;
}

function isLetIn(caller: Resource<DataplaneSpec>, rules: ReturnType<typeof inboundRules>["rules"]): boolean {
  const means = rules.filter(({ client }) => {
    if (client === undefined) return true;
    if (client.by !== "targetRef") return false;
    const { name, tags: wanted = {} } = client.ref;
    return matches({ ...wanted, ...(name === undefined ? {} : { "kuma.io/service": name }) }, shown(caller));
  });
  return (means.at(-1)?.conf as { readonly action?: string } | undefined)?.action === "Allow";
}

test("a policy of today silences those of Kuma 2.x where it speaks, and nowhere else", () => {
  const today = resource("MeshTimeout", "today", {
    to: [{ targetRef: { kind: "MeshService", name: "a" }, default: { connectionTimeout: "9s" } }],
  });
  fc.assert(
    fc.property(proxies, written("Timeout", serviceOnly, clientSide[1][2]), (dataplanes, all) => {
      const mesh = worldOf([...dataplanes, ...all, today]);
      for (const proxy of dataplanes) {
        const own = (proxy.spec.networking.inbound ?? []).map((inbound) => inbound.tags ?? {});
        const selected = selectedOf(mesh, proxy, "MeshTimeout");
        for (const name of SERVICES) {
          const { destination } = resolveBackend(mesh, { kind: "Service", tags: { "kuma.io/service": name } });
          if (destination === undefined) continue;
          const expected = name === "a" ? "today" : forConnection(all, own, name);
          const origins = (outboundConf(selected, destination)?.origins ?? []).map((origin) => origin.name);
          assert.deepEqual(origins, expected === undefined ? [] : [expected]);
        }
      }
    }),
    { numRuns: 200 },
  );
});
