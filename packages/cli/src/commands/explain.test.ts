import assert from "node:assert/strict";
import { test } from "node:test";
import { runHere } from "../testkit/run-line.ts";

test("explain tells a field of a core type and of a policy, without a control plane", async () => {
  const core = await runHere(["explain", "mesh.mtls.enabledBackend"]);
  assert.match(core.stdout, /^Mesh\.mtls\.enabledBackend {2}text\n/);
  const policy = await runHere(["explain", "meshtimeout.spec.to"]);
  assert.match(policy.stdout, /^MeshTimeout\.spec\.to {2}list of object/);
});

test("explain suggests types and fields", async () => {
  const type = await runHere(["explain", "meshtimeot"]);
  assert.deepEqual([type.code, /Did you mean "meshtimeout"/.test(type.stderr)], [2, true]);
  const field = await runHere(["explain", "mesh.mtls.backend"]);
  assert.deepEqual([field.code, /Mesh\.mtls has no such field\n.*"backends"/.test(field.stderr)], [2, true]);
});
