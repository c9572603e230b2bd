import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResourceType } from "../api/resource-types.ts";
import { renderList } from "../get/render-list.ts";
import { plain } from "../output/paint.ts";

const NOW = new Date("2026-11-23T12:00:00Z");
const TIMES = { creationTime: "2026-11-23T11:00:00Z", modificationTime: "2026-11-23T11:59:00Z" };

function render(type: Partial<ResourceType>, items: readonly unknown[], wide = false): string {
  const whole = {
    name: "X",
    path: "xs",
    shortName: "",
    singular: "X",
    plural: "Xs",
    readOnly: false,
    isPolicy: false,
    ...type,
  };
  return renderList({ scope: "Mesh", ...whole }, items, { now: NOW, paint: plain, wide });
}

test("renderList() shows mesh, name and age of any resource", () => {
  assert.equal(render({}, [{ mesh: "default", name: "a", ...TIMES }]), "MESH      NAME   AGE\ndefault   a      1h");
});

test("renderList() shows no mesh for types that belong to none, and what mutual TLS a Mesh has", () => {
  const mtls = { enabledBackend: "ca-1", backends: [{ name: "ca-1", type: "builtin" }] };
  const text = render({ name: "Mesh", scope: "Global" }, [
    { name: "m", mtls, ...TIMES },
    { name: "n", ...TIMES },
  ]);
  assert.equal(
    text,
    "NAME   MTLS                     AGE\nm      ca-1 (builtin, STRICT)   1h\nn      -                        1h",
  );
});

test("renderList() shows between whom a policy of Kuma 2.x stands", () => {
  const sources = [{ match: { "kuma.io/service": "*" } }];
  const destinations = [{ match: { "kuma.io/service": "a" } }, { match: { "kuma.io/service": "b", version: "v1" } }];
  const text = render({ isPolicy: true }, [
    { mesh: "default", name: "one", sources, destinations, ...TIMES },
    { mesh: "default", name: "two", selectors: destinations, ...TIMES },
  ]);
  assert.match(text, /one +\* → a, b version=v1 +1h\n.*two +a, b version=v1 +1h/);
});

test("renderList() shows what a policy targets", () => {
  const target = { kind: "Dataplane", labels: { app: "web" }, sectionName: "main" };
  const rows = [
    { mesh: "m", name: "a", spec: { targetRef: target }, ...TIMES },
    { mesh: "m", name: "b", spec: {}, ...TIMES },
  ];
  assert.deepEqual(render({ isPolicy: true }, rows).split("\n").slice(1), [
    "m      a      Dataplane main app=web   1h",
    "m      b      Mesh                     1h",
  ]);
});

test("renderList() shows the ports of a MeshService, and addresses and labels in wide output", () => {
  const status = { vips: [{ ip: "241.0.0.1" }], addresses: [{ hostname: "a.mesh" }, { hostname: "a.svc" }] };
  const spec = { ports: [{ port: 80, appProtocol: "http" }, { port: 90 }], state: "Available" };
  const text = render(
    { name: "MeshService" },
    [{ mesh: "m", name: "a", labels: { z: "1", b: "2" }, spec, status, ...TIMES }],
    true,
  );
  assert.equal(
    text,
    "MESH   NAME   PORTS        STATE       VIP         HOSTNAMES      AGE   CHANGED   LABELS\n" +
      "m      a      80/http 90   Available   241.0.0.1   a.mesh a.svc   1h    1m        b=2 z=1",
  );
});

test("renderList() shows where a service outside of the mesh is", () => {
  const endpoints = [{ address: "httpbin.org", port: 443 }, { address: "unix:///run/app.sock" }];
  const spec = { match: { port: 80, protocol: "http" }, endpoints };
  const text = render({ name: "MeshExternalService" }, [{ mesh: "m", name: "a", spec, ...TIMES }]);
  assert.equal(
    text,
    "MESH   NAME   PORT      ENDPOINTS                              AGE\n" +
      "m      a      80/http   httpbin.org:443 unix:///run/app.sock   1h",
  );
});
