import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { nameOrder, pageOfKeys } from "./page-of-keys.ts";

test("pageOfKeys() gives every key once, in order, whatever the size of a page", () => {
  const key = fc.record({ mesh: fc.constantFrom("m1", "m2"), name: fc.stringMatching(/^[a-c]{1,2}(-[0-9])?$/) });
  const keys = fc.uniqueArray(key, { selector: ({ mesh, name }) => `${mesh}/${name}`, maxLength: 20 });
  fc.assert(
    fc.property(keys, fc.integer({ min: 1, max: 5 }), (all, size) => {
      const sorted = all.toSorted(nameOrder);
      const seen: object[] = [];
      let offset: string | undefined;
      do {
        const query = new URLSearchParams({ size: String(size), ...(offset === undefined ? {} : { offset }) });
        const page = pageOfKeys(sorted, query);
        assert.equal(page.total, all.length);
        seen.push(...page.items);
        offset = page.next;
      } while (offset !== undefined);
      assert.deepEqual(seen, sorted);
    }),
  );
});
