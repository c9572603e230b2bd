import assert from "node:assert/strict";
import { test } from "node:test";
import { mesh } from "@heddle/model/kinds/mesh.ts";
import { meshService } from "@heddle/model/kinds/mesh-service.ts";
import type { Kind } from "@heddle/model/kind.ts";
import { plain } from "../output/paint.ts";
import { documentSchema } from "./kind-schema.ts";
import { findField, renderExplained, type Explained } from "./render-explain.ts";

function root(kind: Kind): Explained {
  return { path: kind.type, schema: documentSchema(kind), isRequired: false };
}

test("findField() goes down through objects and lists, with or without indexes", () => {
  for (const path of ["spec.ports.port", "spec.ports[].port", "spec.ports[0].port"]) {
    const found = findField(root(meshService as Kind), path.split("."));
    assert.ok("schema" in found);
    assert.equal(
      renderExplained(found, false, plain),
      "MeshService.spec.ports.port  number from 1 to 65535, required\n  Port that clients ask for",
    );
  }
});

test("findField() tells where a path ends that leads nowhere", () => {
  const found = findField(root(mesh as Kind), ["mtls", "backend"]);
  assert.ok("missing" in found);
  assert.deepEqual([found.missing, found.at.path], ["backend", "Mesh.mtls"]);
});

test("renderExplained() lists fields with type, need and meaning; recursively when asked", () => {
  const found = findField(root(mesh as Kind), ["mtls"]);
  assert.ok("schema" in found);
  const shallow = renderExplained(found, false, plain);
  assert.match(shallow, /^Mesh\.mtls {2}object\n {2}Mutual TLS between all proxies of the mesh\n\nFIELD/);
  assert.match(shallow, /^backends +list of object$/m);
  assert.doesNotMatch(shallow, /PERMISSIVE/);
  assert.match(renderExplained(found, true, plain), /^ {2}mode +one of STRICT, PERMISSIVE/m);
});
