import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveType, resourcePath, type ResourceType } from "./resource-types.ts";

const type = (name: string, path: string, shortName: string, singular: string, plural: string): ResourceType => ({
  name,
  path,
  shortName,
  singular,
  plural,
  scope: name === "Mesh" ? "Global" : "Mesh",
  readOnly: false,
  isPolicy: false,
});
const TYPES = [
  type("Mesh", "meshes", "m", "Mesh", "Meshes"),
  type("MeshTimeout", "meshtimeouts", "mt", "Mesh Timeout", "Mesh Timeouts"),
  type("GlobalSecret", "globalsecrets", "", "Global Secret", "Global Secrets"),
];

for (const word of [
  "MeshTimeout",
  "meshtimeouts",
  "meshtimeout",
  "mt",
  "mesh-timeout",
  "MESHTIMEOUTS",
  "mesh-timeouts",
]) {
  test(`resolveType() knows MeshTimeout as ${word}`, async () => {
    assert.equal((await resolveType(TYPES, word)).name, "MeshTimeout");
  });
}

test("resolveType() suggests what a mistyped word most likely means", async () => {
  await assert.rejects(resolveType(TYPES, "meshtimout"), {
    name: "UsageError",
    next: ['Did you mean "meshtimeout"?', "All types: heddle get"],
  });
});

test("resolveType() takes no empty short name for an empty word", async () => {
  await assert.rejects(resolveType(TYPES, ""), { name: "UsageError" });
});

test("resourcePath() puts mesh resources under their mesh and encodes names", () => {
  const [mesh, timeout] = TYPES;
  assert.ok(mesh && timeout);
  assert.equal(resourcePath(timeout, "default", "a/b"), "/meshes/default/meshtimeouts/a%2Fb");
  assert.equal(resourcePath(timeout, undefined), "/meshtimeouts");
  assert.equal(resourcePath(mesh, "default", "prod"), "/meshes/prod");
});
