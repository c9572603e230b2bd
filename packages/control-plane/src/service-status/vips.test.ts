import assert from "node:assert/strict";
import { test } from "node:test";
import { NAMED_KINDS } from "@heddle/model/hostnames.ts";
import fc from "fast-check";
import { allocateVips, type Holder } from "./vips.ts";

const RANGE = { MeshService: "241.", MeshExternalService: "242.", MeshMultiZoneService: "243." };

// Few names and addresses, so that they meet.
const holders = fc.uniqueArray(
  fc.record({
    type: fc.constantFrom(...NAMED_KINDS),
    mesh: fc.constantFrom("a", "b"),
    name: fc.constantFrom("x", "y", "z"),
    creationTime: fc.constantFrom("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
    vips: fc.oneof(fc.constant([]), fc.constantFrom(["241.0.0.1"], ["242.0.0.1"], ["10.0.0.1"])),
  }),
  { selector: ({ type, mesh, name }) => `${type}/${mesh}/${name}`, maxLength: 18 },
);

test("allocateVips() gives everybody an address and none to two", () => {
  fc.assert(
    fc.property(holders, (all) => {
      const given = allocateVips(all).flat();
      assert.equal(new Set(given).size, given.length);
      assert.equal(given.length, all.length);
    }),
  );
});

test("allocateVips() changes no address that a service has, whoever comes, goes, or is listed first", () => {
  fc.assert(
    fc.property(holders, fc.nat(), (all, turn) => {
      const first = allocateVips(all);
      const settled = all.map((holder, index): Holder => ({ ...holder, vips: first[index] ?? [] }));
      const cut = turn % (all.length + 1);
      const left = [...settled.slice(cut), ...settled.slice(0, Math.floor(cut / 2))];
      assert.deepEqual(
        allocateVips(left),
        left.map(({ vips }) => vips),
      );
    }),
  );
});

test("allocateVips() takes each kind's range, and the same address for who comes back", () => {
  const service = { mesh: "default", name: "web", creationTime: "2026-01-01T00:00:00Z", vips: [] };
  for (const type of NAMED_KINDS) {
    const [[vip = ""] = []] = allocateVips([{ ...service, type }]);
    assert.ok(vip.startsWith(RANGE[type]), vip);
    assert.deepEqual(allocateVips([{ ...service, type, creationTime: "2027-01-01T00:00:00Z" }]), [[vip]]);
  }
});

test("allocateVips() leaves a new service another address when its own is taken", () => {
  const first = { type: "MeshService" as const, mesh: "m", name: "a", creationTime: "1", vips: [] };
  const [[vip = ""] = []] = allocateVips([first]);
  const [, second = []] = allocateVips([{ ...first, name: "b", vips: [vip] }, first]);
  assert.notDeepEqual(second, [vip]);
  assert.match(second[0] ?? "", /^241\./);
});
