import assert from "node:assert/strict";
import { test } from "node:test";
import { isInstalled } from "./npm-packages.mjs";

const yaml = { version: "2.9.1", integrity: "sha512-a" };
const wanted = { "": {}, "node_modules/yaml": yaml, "node_modules/other-processor": { ...yaml, optional: true } };

test("isInstalled() leaves out binaries of other processors", () => {
  assert.equal(isInstalled(wanted, { "node_modules/yaml": yaml }), true);
});

test("isInstalled() sees a package that is missing, of another version or of other content", () => {
  assert.equal(isInstalled(wanted, {}), false);
  assert.equal(isInstalled(wanted, { "node_modules/yaml": { ...yaml, version: "2.9.0" } }), false);
  assert.equal(isInstalled(wanted, { "node_modules/yaml": { ...yaml, integrity: "sha512-b" } }), false);
});
