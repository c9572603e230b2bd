import assert from "node:assert/strict";
import { test } from "node:test";
import type { BackendReference } from "../policy.ts";
import { yamlMesh } from "../testkit/yaml-mesh.ts";
import { endpointsOf, resolveBackend } from "./resolve.ts";

const mesh = yamlMesh(`
type: Mesh
name: default
---
type: MeshService
name: backend
labels: { team: a }
spec:
  selector: { dataplaneTags: { kuma.io/service: backend } }
  ports: [{ port: 80, name: http, targetPort: 8080, appProtocol: http }, { port: 443, targetPort: 8443 }]
---
type: MeshService
name: backend-3f7a
labels: { team: a, kuma.io/display-name: far }
spec: { ports: [{ port: 90, appProtocol: grpc }] }
---
type: MeshService
name: empty
---
type: Dataplane
name: backend-1
networking:
  address: 10.0.0.1
  inbound: [{ port: 8080, servicePort: 1, tags: { kuma.io/service: backend, version: v1 } }]
---
type: Dataplane
name: backend-2
networking:
  address: 10.0.0.2
  inbound: [{ port: 8080, servicePort: 1, tags: { kuma.io/service: backend, version: v2 } }]
---
type: Dataplane
name: legacy-1
networking:
  address: 10.0.0.3
  inbound: [{ port: 8080, servicePort: 1, tags: { kuma.io/service: legacy, kuma.io/protocol: http } }]
`);

const key = (reference: BackendReference) => resolveBackend(mesh, reference).destination?.key;

const cases: readonly [string, BackendReference, string | undefined][] = [
  ["a port by number", { kind: "MeshService", name: "backend", port: 443 }, "kri_msvc_default___backend_443"],
  ["a named port by number", { kind: "MeshService", name: "backend", port: 80 }, "kri_msvc_default___backend_http"],
  ["a port by name", { kind: "MeshService", name: "backend", sectionName: "http" }, "kri_msvc_default___backend_http"],
  [
    "a port by name rather than number",
    { kind: "MeshService", name: "backend", sectionName: "443", port: 80 },
    "kri_msvc_default___backend_443",
  ],
  [
    "the service tag of a name when the port of the service is not said",
    { kind: "MeshService", name: "backend" },
    "backend",
  ],
  ["the only port", { kind: "MeshService", labels: { "kuma.io/display-name": "far" } }, "kri_msvc_default___far_90"],
  ["a service by its display name", { kind: "MeshService", name: "far", port: 90 }, "kri_msvc_default___far_90"],
  ["a service by labels", { kind: "MeshService", labels: { team: "a" }, port: 80 }, "kri_msvc_default___backend_http"],
  ["no service by labels that nobody has", { kind: "MeshService", labels: { team: "z" }, port: 80 }, undefined],
  ["no port that is not there", { kind: "MeshService", labels: { team: "a" }, port: 81 }, undefined],
  ["a service tag for a MeshService that is none", { kind: "MeshService", name: "legacy" }, "legacy"],
  ["no service without ports", { kind: "MeshService", name: "empty" }, undefined],
  ["a service tag", { kind: "Service", tags: { "kuma.io/service": "legacy" } }, "legacy"],
  ["a whole service as its own subset", { kind: "MeshServiceSubset", name: "legacy" }, "legacy"],
  ["nothing for what is no service", { kind: "MeshExternalService", name: "backend" }, undefined],
];
for (const [what, reference, expected] of cases) {
  test(`resolveBackend() finds ${what}`, () => assert.equal(key(reference), expected));
}

test("resolveBackend() makes a subset of a service a destination of its own, with the endpoints that have the tags", () => {
  const subset = { kind: "MeshServiceSubset", name: "backend", tags: { version: "v2" } };
  const { destination } = resolveBackend(mesh, subset);
  assert.ok(destination !== undefined);
  assert.match(destination.key, /^backend-[0-9a-f]{16}$/);
  assert.deepEqual(
    endpointsOf(mesh, destination).map(({ address }) => address),
    ["10.0.0.2"],
  );
  assert.equal(resolveBackend(mesh, { ...subset }).destination, destination);
});

test("resolveBackend() takes the oldest of several services, however they are ordered", () => {
  const service = (name: string) => `
---
type: MeshService
name: ${name}
labels: { kuma.io/display-name: twin }
spec: { ports: [{ port: 80 }] }`;
  for (const order of [
    ["a", "b"],
    ["b", "a"],
  ]) {
    const twins = yamlMesh(`{ type: Mesh, name: default }${order.map(service).join("")}`);
    assert.equal(resolveBackend(twins, { kind: "MeshService", name: "twin" }).destination?.name, "a");
  }
});
