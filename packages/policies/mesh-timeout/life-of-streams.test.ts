import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { compileYaml } from "@heddle/engine/testkit/compile-yaml.ts";
import { runEnvoy } from "@heddle/engine/testkit/run-envoy.ts";
import { policies } from "../index.ts";

const mesh = (http: string): string => `
type: Mesh
name: default
---
type: Dataplane
name: web-1
networking:
  address: 127.0.0.2
  outbound: [{ port: 10001, backendRef: { kind: MeshService, name: backend, port: 80 } }]
---
type: MeshService
name: backend
spec: { ports: [{ port: 80, appProtocol: http }] }
---
type: MeshTimeout
name: patience
spec: { to: [{ targetRef: { kind: Mesh }, default: { http: ${http} } }] }
`;

// Envoy takes no notice of a request timeout where a route has a longest life of streams.
const cases = [
  ["the request timeout holds beside a longer life of streams", "{ requestTimeout: 300ms, maxStreamDuration: 10s }"],
  ["a shorter life of streams holds beside the request timeout", "{ requestTimeout: 10s, maxStreamDuration: 300ms }"],
  ["the life of streams holds without a request timeout", "{ requestTimeout: 0s, maxStreamDuration: 300ms }"],
] as const;

for (const [what, http] of cases) {
  test(`meshTimeout: ${what}`, { timeout: 30_000 }, async (t) => {
    const silent = createServer(() => undefined).listen(0, "127.0.0.1");
    t.after(() => {
      silent.closeAllConnections();
      silent.close();
    });
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const ports = await runEnvoy(t, compileYaml(mesh(http), policies), {
      endpoints: { kri_msvc_default___backend_80: port },
    });
    const started = performance.now();
    const call = request({ host: "127.0.0.1", port: ports.get("kri_msvc_default___backend_80:10001"), agent: false });
    const [answer] = (await once(call.end(), "response")) as [IncomingMessage];
    answer.resume();
    assert.ok([504, 408].includes(answer.statusCode ?? 0), `it answered ${answer.statusCode}`);
    assert.ok(performance.now() - started < 8_000, "it was patient for longer than it should");
  });
}
