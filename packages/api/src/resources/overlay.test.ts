import assert from "node:assert/strict";
import { test } from "node:test";
import { openMemoryStore } from "@heddle/store/memory.ts";
import fc from "fast-check";
import { Overlay } from "./overlay.ts";

const NOW = new Date("2026-01-01T00:00:00Z");

interface Step {
  readonly do: "put" | "delete";
  readonly mesh: string;
  readonly name: string;
  readonly team: string;
}

const step: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom("put", "delete"),
  mesh: fc.constantFrom("m1", "m2"),
  name: fc.constantFrom("a", "b", "ab"),
  team: fc.constantFrom("red", "blue"),
});

const query = fc.record(
  {
    mesh: fc.constantFrom("m1", "m2"),
    nameContains: fc.constantFrom("a", "b"),
    labels: fc.constantFrom({ team: "red" }, {}),
    size: fc.integer({ min: 1, max: 4 }),
  },
  { requiredKeys: [] },
);

test("Overlay shows what a store would show after the same writes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step), fc.array(step), query, async (before, after, asked) => {
      await using real = openMemoryStore();
      await using base = openMemoryStore();
      for (const each of before) await perform(real, each);
      for (const each of before) await perform(base, each);
      const overlay = new Overlay(base);
      for (const each of after) {
        await perform(real, each);
        const resource = resourceOf(each);
        if (each.do === "delete") overlay.delete(resource);
        else overlay.put(resource, await overlay.get(resource), NOW);
      }
      const expected = await real.list({ type: "Zone", ...asked });
      const found = await overlay.list({ type: "Zone", ...asked });
      assert.equal(found.total, expected.total);
      assert.deepEqual(found.items.map(essence), expected.items.map(essence));
    }),
    { numRuns: 200 },
  );
});

type Real = ReturnType<typeof openMemoryStore>;

async function perform(store: Real, each: Step): Promise<void> {
  const resource = resourceOf(each);
  const current = await store.get(resource);
  if (each.do === "delete") await (current && store.delete(resource));
  else if (current === undefined) await store.create(resource);
  else await store.update(resource, current.version);
}

function resourceOf({ mesh, name, team }: Step) {
  return { type: "Zone", mesh, name, labels: { team }, spec: { team } };
}

function essence({ mesh, name, labels, spec }: { mesh: string; name: string; labels: object; spec: unknown }) {
  return { mesh, name, labels, spec };
}
