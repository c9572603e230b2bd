import assert from "node:assert/strict";
import { test } from "node:test";
import { matchesTemplate, nearestPath } from "./nearest-path.ts";

const TEMPLATES = [
  "/",
  "/meshes",
  "/meshes/{name}",
  "/meshes/{mesh}/dataplanes",
  "/meshes/{mesh}/dataplanes/_overview",
  "/meshes/{mesh}/dataplanes/{name}",
  "/meshes/{mesh}/dataplanes/{name}/_rules",
  "/zones/{name}",
  "/tokens/dataplane",
];

const cases = [
  ["/meshs", "/meshes"],
  ["/Meshes/default", "/meshes/default"],
  ["/meshes/default/dataplane", "/meshes/default/dataplanes"],
  ["/meshes/default/dataplane/web", "/meshes/default/dataplanes/web"],
  ["/meshes/default/dataplanes/web/rules", "/meshes/default/dataplanes/web/_rules"],
  ["/mesh/default/dataplane/web/_rule", "/meshes/default/dataplanes/web/_rules"],
  ["/token/dataplanes", "/tokens/dataplane"],
  ["/zone/east", "/zones/east"],
  ["/quite/elsewhere", undefined],
  ["/meshes/default/dataplanes/web/_rules/more", undefined],
  [`/${"a/".repeat(1_000)}`, undefined],
] as const;

for (const [path, near] of cases) {
  test(`nearestPath() finds ${near ?? "nothing"} for ${path.slice(0, 60)}`, () => {
    assert.equal(nearestPath(TEMPLATES, path), near);
  });
}

test("matchesTemplate() lets a parameter stand for any one segment, and for no empty one", () => {
  assert.ok(matchesTemplate("/meshes/{name}", "/meshes/default"));
  assert.ok(!matchesTemplate("/meshes/{name}", "/meshes/"));
  assert.ok(!matchesTemplate("/meshes/{name}", "/meshes/default/dataplanes"));
});
