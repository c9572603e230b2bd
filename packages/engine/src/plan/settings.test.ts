import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import type { Change, HttpFilter } from "./plan.ts";
import { applyProposals, NO_SETTINGS, type Proposal } from "./settings.ts";

const origin = { type: "", mesh: "default", name: "p", kri: "", rule: 0 };
const proposal = (kind: string, change: Change): Proposal => ({ kind, origins: [{ ...origin, type: kind }], change });
const filter = (name: string, stage: HttpFilter["stage"], bytes: readonly number[] = []): HttpFilter => ({
  name,
  stage,
  config: create(AnySchema, { typeUrl: "type.googleapis.com/x", value: new Uint8Array(bytes) }),
});

test("applyProposals() reports two kinds that write one slot differently, and the later kind has it", () => {
  const { settings, conflicts } = applyProposals(
    NO_SETTINGS,
    [proposal("MeshA", { route: { timeout: 1 } }), proposal("MeshB", { route: { timeout: 2, idleTimeout: 3 } })],
    "backend",
  );
  assert.deepEqual(settings.route, { timeout: 2, idleTimeout: 3 });
  assert.deepEqual(conflicts, [
    {
      slot: "route.timeout",
      unit: "backend",
      kept: { kind: "MeshB", origins: [{ ...origin, type: "MeshB" }] },
      dropped: { kind: "MeshA", origins: [{ ...origin, type: "MeshA" }] },
    },
  ]);
});

test("applyProposals() reports two kinds that bring a filter of one name with different settings", () => {
  const one = proposal("MeshA", { httpFilters: [filter("rbac", "authorize", [1])] });
  const other = proposal("MeshB", { httpFilters: [filter("rbac", "authorize", [2])] });
  assert.deepEqual(
    applyProposals(NO_SETTINGS, [one, other], "u").conflicts.map(({ slot }) => slot),
    ["filter rbac"],
  );
  assert.deepEqual(applyProposals(NO_SETTINGS, [one, { ...one, kind: "MeshB" }], "u").conflicts, []);
});

test("applyProposals() sees no conflict where kinds agree, say nothing, or only differ from the base", () => {
  const base = { ...NO_SETTINGS, cluster: { connectTimeout: 1 } };
  const proposals = [
    proposal("MeshA", { cluster: { connectTimeout: 2, idleTimeout: undefined } }),
    proposal("MeshB", { cluster: { connectTimeout: 2, idleTimeout: 5 } }),
    proposal("MeshC", {}),
  ];
  const { settings, conflicts } = applyProposals(base, proposals, "u");
  assert.deepEqual(conflicts, []);
  assert.deepEqual(settings.cluster, { connectTimeout: 2, idleTimeout: 5 });
});

test("applyProposals() puts filters in the order of their stages, then of their names, whoever came first", () => {
  const filters = [filter("z", "fault"), filter("b", "observe"), filter("a", "observe"), filter("c", "authorize")];
  fc.assert(
    fc.property(fc.shuffledSubarray(filters, { minLength: 4 }), (shuffled) => {
      const proposals = shuffled.map((each) => proposal(`Mesh-${each.name}`, { httpFilters: [each] }));
      const { settings } = applyProposals(NO_SETTINGS, proposals, "u");
      assert.deepEqual(
        settings.httpFilters.map(({ name }) => name),
        ["c", "z", "a", "b"],
      );
    }),
  );
});

test("applyProposals() gathers the settings of filters on routes, and the callers that each kind tells apart", () => {
  const rbac = filter("rbac", "authorize").config;
  const fault = filter("fault", "fault").config;
  const caller = { match: { sni: { type: "Exact", value: "s" } }, route: { timeout: 1 } } as const;
  const { settings } = applyProposals(
    NO_SETTINGS,
    [
      proposal("MeshA", { route: { filters: { rbac } }, callers: [caller] }),
      proposal("MeshB", { route: { filters: { fault } }, callers: [] }),
    ],
    "u",
  );
  assert.deepEqual(Object.keys(settings.route.filters ?? {}), ["rbac", "fault"]);
  assert.deepEqual(settings.callers, [[caller]]);
});
