import assert from "node:assert/strict";
import { test } from "node:test";
import { compileYaml } from "@heddle/engine/testkit/compile-yaml.ts";
import { policies } from "../index.ts";

const mesh = (rules: string): string => `
type: Mesh
name: default
mtls: { enabledBackend: ca, backends: [{ name: ca, type: builtin }] }
---
type: Dataplane
name: backend-1
networking:
  address: 127.0.0.2
  inbound: [{ port: 8080, servicePort: 18080, name: api, protocol: http }]
---
type: MeshRateLimit
name: limits
spec: { rules: [${rules}] }
`;

function versions(rules: string, kind: "Listener" | "RouteConfiguration"): readonly string[] {
  const { resources } = compileYaml(mesh(rules), policies);
  return [...resources]
    .filter(([url]) => url.endsWith(`.${kind}`))
    .flatMap(([, byName]) => [...byName.values()].map(({ version }) => version));
}

test("meshRateLimit changes the routes and not the listener when a limit changes, so nothing is drained", () => {
  const weak = "{ default: { local: { http: { requestRate: { num: 100, interval: 1s } } } } }";
  const strong =
    "{ default: { local: { http: { requestRate: { num: 1, interval: 1m }, onRateLimit: { status: 503 } } } } }";
  const forOne = `{ matches: [{ spiffeID: { type: Exact, value: "spiffe://default/a" } }], ${strong.slice(2)}`;
  const lifted = "{ default: { local: { http: { disabled: true } } } }";
  for (const other of [strong, forOne, `${weak}, ${forOne}`]) {
    assert.deepEqual(versions(other, "Listener"), versions(weak, "Listener"));
    assert.notDeepEqual(versions(other, "RouteConfiguration"), versions(weak, "RouteConfiguration"));
  }
  assert.notDeepEqual(versions(lifted, "Listener"), versions(weak, "Listener"), "without a limit there is no filter");
});
