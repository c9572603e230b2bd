import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { endpointsOf } from "../plan/resolve.ts";
import { goldenFolder } from "../testkit/golden.ts";
import { yamlMesh } from "../testkit/yaml-mesh.ts";

const CASES = join(import.meta.dirname, "multi-zone-cases");

goldenFolder(CASES, {
  title: "MeshMultiZoneService",
  isSubject: ({ type }) => type === "MeshMultiZoneService",
  others: [],
  policies: [],
});

test("a MeshMultiZoneService is served by the instances of all MeshServices that it selects", () => {
  const mesh = yamlMesh(readFileSync(join(CASES, "mutual-tls.yaml"), "utf8"));
  const destination = mesh.views.get("MeshMultiZoneService/both")?.ports.get(80)?.destination;
  assert.ok(destination);
  assert.deepEqual(
    endpointsOf(mesh, destination).map(({ address }) => address),
    ["192.168.0.2", "192.168.0.3"],
  );
  assert.deepEqual(destination.tls?.identities, ["spiffe://default/a", "spiffe://default/b"]);
});
