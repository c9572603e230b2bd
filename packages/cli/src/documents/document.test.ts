import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { inApplyOrder, type Document } from "./document.ts";

const document = (type: string, name: string): Document => ({ place: "p", type, mesh: "default", name, content: {} });

test("inApplyOrder() puts meshes first, then secrets, then the rest as written", () => {
  const types = ["MeshTimeout", "Secret", "Dataplane", "Mesh", "GlobalSecret", "MeshTimeout"];
  const ordered = inApplyOrder(types.map((type, index) => document(type, String(index))));
  assert.deepEqual(
    ordered.map(({ name }) => name),
    ["3", "1", "4", "0", "2", "5"],
  );
});

test("inApplyOrder() keeps every document and changes nothing the second time", () => {
  const types = fc.constantFrom("Mesh", "Secret", "GlobalSecret", "MeshTimeout", "Dataplane");
  fc.assert(
    fc.property(fc.array(types), (list) => {
      const documents = list.map((type, index) => document(type, String(index)));
      const once = inApplyOrder(documents);
      assert.deepEqual(new Set(once), new Set(documents));
      assert.deepEqual(inApplyOrder(once), once);
    }),
  );
});
