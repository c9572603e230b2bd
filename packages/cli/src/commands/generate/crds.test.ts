import assert from "node:assert/strict";
import { test } from "node:test";
import { structuralProblems } from "@heddle/model/testkit/structural-problems.ts";
import { parseAllDocuments } from "yaml";
import { runHeddle } from "../../testkit/run-heddle.ts";

interface Definition {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: object } }[];
  };
}

test("heddle generate crds prints a definition of every kind that Kubernetes can keep", async () => {
  const { code, stdout, stderr } = await runHeddle(["generate", "crds"]);
  assert.equal(code, 0, stderr);
  const definitions = parseAllDocuments(stdout).map((document) => document.toJS() as Definition);
  const kinds = definitions.map(({ spec }) => spec.names.kind);
  assert.equal(new Set(kinds).size, kinds.length);
  for (const kind of ["Mesh", "Dataplane", "MeshTimeout", "MeshProxyPatch", "MeshExternalService"]) {
    assert.ok(kinds.includes(kind), `there is none of ${kind}`);
  }
  assert.ok(!kinds.includes("Secret"), "secrets are Secrets there");
  for (const { metadata, spec } of definitions) {
    assert.match(metadata.name, /^[a-z]+(-[a-z]+)*\.kuma\.io$/);
    assert.deepEqual(structuralProblems(spec.versions[0]?.schema.openAPIV3Schema as never, spec.names.kind), []);
  }
});
