import assert from "node:assert/strict";
import { test } from "node:test";
import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";
import type { MeshServiceSpec } from "@heddle/model/kinds/mesh-service.ts";
import type { Resource } from "@heddle/model/resource.ts";
import { GENERATED, nextRetirement, reconcileMeshServices } from "./reconcile.ts";

const NOW = new Date("2026-01-01T00:00:00Z");
const TIME = { now: NOW, graceMillis: 60_000 };
type Inbounds = NonNullable<DataplaneSpec["networking"]["inbound"]>;

function dataplane(name: string, labels: Record<string, string>, inbound: Inbounds): Resource<DataplaneSpec> {
  const spec = { networking: { address: "10.0.0.1", inbound } };
  return { type: "Dataplane", mesh: "default", name, labels, spec, creationTime: "", modificationTime: "", version: 1 };
}

function service(name: string, spec: MeshServiceSpec, labels: Record<string, string> = {}): Resource<MeshServiceSpec> {
  return {
    type: "MeshService",
    mesh: "default",
    name,
    labels,
    spec,
    creationTime: "",
    modificationTime: "",
    version: 1,
  };
}

const WEB = dataplane("web-1", { "kuma.io/workload": "web" }, [{ port: 80, servicePort: 8080, protocol: "http" }]);
const WEB_SPEC: MeshServiceSpec = {
  selector: { dataplaneLabels: { matchLabels: { "kuma.io/workload": "web" } } },
  ports: [{ port: 80, targetPort: 80, appProtocol: "http" }],
};

test("reconcileMeshServices() makes a service for a workload label", () => {
  const actions = reconcileMeshServices([WEB], new Map(), TIME);
  assert.deepEqual(actions, [
    { do: "create", name: "web", spec: WEB_SPEC, labels: { "kuma.io/managed-by": GENERATED } },
  ]);
});

test("reconcileMeshServices() makes a service for a tag, with the ports of all proxies", () => {
  const tags = { "kuma.io/service": "api", "kuma.io/protocol": "grpc" };
  const proxies = [9_000, 9_001].map((port) => dataplane(`api-${port}`, {}, [{ port, tags }]));
  const [action] = reconcileMeshServices(proxies, new Map(), TIME);
  assert.ok(action?.do === "create");
  assert.deepEqual(action.spec.selector, { dataplaneTags: { "kuma.io/service": "api" } });
  assert.deepEqual(
    action.spec.ports?.map(({ port, appProtocol }) => [port, appProtocol]),
    [
      [9_000, "grpc"],
      [9_001, "grpc"],
    ],
  );
});

test("reconcileMeshServices() has nothing to do when everything is there", () => {
  const there = service("web", WEB_SPEC, { "kuma.io/managed-by": GENERATED });
  assert.deepEqual(reconcileMeshServices([WEB], new Map([["web", there]]), TIME), []);
});

test("reconcileMeshServices() leaves a service alone that a user wrote", () => {
  const own = service("web", { selector: { dataplaneRef: { name: "x" } } });
  assert.deepEqual(reconcileMeshServices([WEB], new Map([["web", own]]), TIME), []);
  assert.deepEqual(reconcileMeshServices([], new Map([["web", own]]), TIME), []);
});

test("reconcileMeshServices() skips names that can be no service", () => {
  const odd = dataplane("odd", { "kuma.io/workload": "Web_1" }, [{ port: 80 }]);
  assert.deepEqual(reconcileMeshServices([odd], new Map(), TIME), []);
});

test("reconcileMeshServices() lets a service without proxies go after its grace, and keeps it if one returns", () => {
  const orphan = service("web", WEB_SPEC, { "kuma.io/managed-by": GENERATED });
  const [started] = reconcileMeshServices([], new Map([["web", orphan]]), TIME);
  assert.ok(started?.do === "update");
  const waiting = new Map([["web", { ...orphan, labels: started.labels }]]);
  assert.deepEqual(reconcileMeshServices([], waiting, TIME), []);
  assert.equal(nextRetirement(waiting.values(), TIME), 60_000);

  const later = { ...TIME, now: new Date(NOW.getTime() + 60_000) };
  assert.deepEqual(reconcileMeshServices([], waiting, later), [{ do: "delete", name: "web" }]);
  const [kept] = reconcileMeshServices([WEB], waiting, later);
  assert.deepEqual(kept, { do: "update", name: "web", spec: WEB_SPEC, labels: { "kuma.io/managed-by": GENERATED } });
});
