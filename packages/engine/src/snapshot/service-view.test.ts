import assert from "node:assert/strict";
import { test } from "node:test";
import { ONLINE } from "../testkit/mesh-of.ts";
import { yamlMesh } from "../testkit/yaml-mesh.ts";
import { applyChanges } from "./apply-changes.ts";
import type { DataplaneFacts, MeshSnapshot } from "./snapshot.ts";

const STRICT = "{ type: Mesh, name: default, mtls: { enabledBackend: ca, backends: [{ name: ca, type: builtin }] } }";
const PERMISSIVE =
  "{ type: Mesh, name: default, mtls: { enabledBackend: ca, backends: [{ name: ca, type: builtin, mode: PERMISSIVE }] } }";
const PLAIN = "{ type: Mesh, name: default }";

const backends = `
---
type: MeshService
name: backend
spec:
  selector: { dataplaneLabels: { matchLabels: { app: backend } } }
  ports: [{ port: 80, targetPort: api, appProtocol: http }, { port: 9000 }]
---
type: Dataplane
name: backend-1
labels: { app: backend, kuma.io/zone: east }
networking:
  address: 10.0.0.1
  inbound:
    - { port: 8080, servicePort: 1, name: api, tags: { kuma.io/service: backend, kuma.io/protocol: http } }
    - { port: 9000, servicePort: 2, tags: { kuma.io/service: backend-raw, kuma.io/protocol: tcp } }
---
type: Dataplane
name: backend-2
labels: { app: backend }
networking:
  address: 10.0.0.2
  advertisedAddress: 192.168.9.2
  inbound: [{ port: 8081, servicePort: 1, name: api, tags: { kuma.io/service: backend, kuma.io/protocol: http } }]
`;

function addresses(mesh: MeshSnapshot, key: string, port: number): readonly string[] {
  return (mesh.views.get(key)?.ports.get(port)?.endpoints ?? []).map((each) => `${each.address}:${each.port}`);
}

test("viewService() finds the instances of a MeshService's port by the name or number of their inbound", () => {
  const mesh = yamlMesh(PLAIN + backends);
  assert.deepEqual(addresses(mesh, "MeshService/backend", 80), ["10.0.0.1:8080", "192.168.9.2:8081"]);
  assert.deepEqual(addresses(mesh, "MeshService/backend", 9000), ["10.0.0.1:9000"]);
});

test("viewService() finds the instances of a service tag, and keeps its protocol when they agree on it", () => {
  const mesh = yamlMesh(PLAIN + backends);
  assert.deepEqual(addresses(mesh, "Service/backend", 0), ["10.0.0.1:8080", "192.168.9.2:8081"]);
  assert.equal(mesh.views.get("Service/backend")?.ports.get(0)?.destination.protocol, "http");
});

test("viewService() takes a service whose instances disagree on the protocol for bytes", () => {
  const mesh = yamlMesh(PLAIN + backends.replace("protocol: http } }]", "protocol: grpc } }]"));
  assert.equal(mesh.views.get("Service/backend")?.ports.get(0)?.destination.protocol, "tcp");
});

test("viewService() tells in which zone an instance is", () => {
  const [first, second] =
    yamlMesh(PLAIN + backends)
      .views.get("MeshService/backend")
      ?.ports.get(80)?.endpoints ?? [];
  assert.deepEqual([first?.zone, second?.zone], ["east", "zone-1"]);
});

const unready: readonly [string, Partial<DataplaneFacts>][] = [
  ["is not connected", { online: false }],
  ["has not acknowledged its listeners", { warm: false }],
  ["said goodbye", { leaving: true }],
  ["has an application that does not answer on that port", { unhealthy: [8080] }],
];
for (const [what, facts] of unready) {
  test(`viewService() leaves an instance out of load balancing that ${what}`, () => {
    const mesh = yamlMesh(PLAIN + backends);
    const { snapshot, impact } = applyChanges(mesh, [
      { what: "facts", dataplane: "backend-1", facts: { ...ONLINE, ...facts } },
    ]);
    assert.deepEqual(addresses(snapshot, "MeshService/backend", 80), ["192.168.9.2:8081"]);
    assert.deepEqual([...impact.services], []);
  });
}

test("viewService() keeps the other ports of an instance when one application does not answer", () => {
  const facts = { ...ONLINE, unhealthy: [8080] };
  const { snapshot } = applyChanges(yamlMesh(PLAIN + backends), [{ what: "facts", dataplane: "backend-1", facts }]);
  assert.deepEqual(addresses(snapshot, "MeshService/backend", 9000), ["10.0.0.1:9000"]);
});

for (const state of ["state: NotReady", "state: Ignored", "health: { ready: false }"]) {
  test(`viewService() leaves out an inbound with ${state}`, () => {
    const yaml = (PLAIN + backends).replace("servicePort: 1, name: api", `servicePort: 1, ${state}, name: api`);
    assert.deepEqual(addresses(yamlMesh(yaml), "MeshService/backend", 80), ["192.168.9.2:8081"]);
  });
}

test("viewService() keeps a service whose every instance is gone, and a service tag that is on no proxy does not exist", () => {
  const mesh = yamlMesh(`${PLAIN}
---
type: MeshService
name: backend
spec: { selector: { dataplaneLabels: { matchLabels: { app: backend } } }, ports: [{ port: 80 }] }`);
  assert.deepEqual(addresses(mesh, "MeshService/backend", 80), []);
  assert.ok(mesh.views.get("MeshService/backend")?.ports.has(80));
  assert.equal(mesh.views.has("Service/backend"), false);
});

test("viewService() expects the identities of the instances, or those that the service names", () => {
  const tls = (yaml: string, key: string, port: number) =>
    yamlMesh(yaml).views.get(key)?.ports.get(port)?.destination.tls;
  const yaml = STRICT + backends;
  assert.deepEqual(tls(yaml, "MeshService/backend", 80), {
    sni: "sni.msvc.default.backend.80",
    identities: ["spiffe://default/backend", "spiffe://default/backend-raw"],
  });
  assert.deepEqual(tls(yaml, "Service/backend", 0), { sni: "backend", identities: ["spiffe://default/backend"] });
  const named = yaml.replace("ports:", "identities: [{ type: ServiceTag, value: shop }]\n  ports:");
  assert.deepEqual(tls(named, "MeshService/backend", 80)?.identities, ["spiffe://default/shop"]);
});

function usesTls(mesh: MeshSnapshot): boolean {
  return mesh.views.get("MeshService/backend")?.ports.get(80)?.destination.tls !== undefined;
}

test("viewService() has no TLS without mutual TLS in the mesh, and has it when it is strict, whoever is there", () => {
  const ready = (tlsReady: boolean, yaml: string) =>
    usesTls(
      applyChanges(yamlMesh(yaml + backends), [
        { what: "facts", dataplane: "backend-1", facts: { ...ONLINE, tlsReady } },
      ]).snapshot,
    );
  assert.deepEqual([ready(true, PLAIN), ready(false, STRICT), ready(true, STRICT)], [false, true, true]);
});

test("viewService() waits with TLS while the mesh is permissive, until the last instance accepts it", () => {
  const mesh = yamlMesh(PERMISSIVE + backends);
  const notYet = applyChanges(mesh, [{ what: "facts", dataplane: "backend-2", facts: { ...ONLINE, tlsReady: false } }]);
  assert.equal(usesTls(notYet.snapshot), false);
  const ready = applyChanges(notYet.snapshot, [{ what: "facts", dataplane: "backend-2", facts: ONLINE }]);
  assert.equal(usesTls(ready.snapshot), true);
  assert.ok(ready.impact.services.has("MeshService/backend"));
});
