import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { compileYaml } from "@heddle/engine/testkit/compile-yaml.ts";
import { runEnvoy } from "@heddle/engine/testkit/run-envoy.ts";
import { policies } from "../index.ts";

const BACKEND = "kri_msvc_default___backend_80";
const mesh = (conf: string): string => `
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
type: MeshCircuitBreaker
name: breaker
spec: { to: [{ targetRef: { kind: MeshService, name: backend }, default: ${conf} }] }
`;

/** A service of one instance for each listener, and a way to call it through a proxy with this policy. */
async function callThrough(t: TestContext, conf: string, ...instances: readonly RequestListener[]) {
  const ports = await Promise.all(
    instances.map(async (instance) => {
      const server = createServer(instance).listen(0, "127.0.0.1");
      t.after(() => server.close());
      await once(server, "listening");
      return (server.address() as { readonly port: number }).port;
    }),
  );
  const listeners = await runEnvoy(t, compileYaml(mesh(conf), policies), { endpoints: { [BACKEND]: ports } });
  return () => fetch(`http://127.0.0.1:${listeners.get(`${BACKEND}:10001`)}/`);
}

test("meshCircuitBreaker answers 503 to what is more than its limits", { timeout: 30_000 }, async (t) => {
  const held = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const call = await callThrough(t, "{ connectionLimits: { maxRequests: 1 } }", async (_, answer) => {
    arrived.resolve();
    await held.promise;
    answer.end("done");
  });
  const first = call();
  await arrived.promise;
  const second = await call();
  assert.equal(second.status, 503);
  assert.equal(second.headers.get("x-envoy-overloaded"), "true");
  held.resolve();
  assert.equal((await first).status, 200);
  assert.equal((await call()).status, 200);
});

test("meshCircuitBreaker leaves an instance out that failed too often in a row", { timeout: 30_000 }, async (t) => {
  const detection =
    "{ healthyPanicThreshold: 0, maxEjectionPercent: 50, detectors: { totalFailures: { consecutive: 3 } } }";
  let failed = 0;
  const call = await callThrough(
    t,
    `{ outlierDetection: ${detection} }`,
    (_, answer) => {
      failed += 1;
      answer.writeHead(500).end("bad");
    },
    (_, answer) => answer.end("good"),
  );
  const answers: string[] = [];
  for (let calls = 0; calls < 20; calls++) {
    const answer = await call();
    assert.ok(answer.body !== null);
    answers.push(await text(answer.body));
  }
  assert.equal(failed, 3);
  assert.deepEqual(answers.slice(-10), Array(10).fill("good"));
});
