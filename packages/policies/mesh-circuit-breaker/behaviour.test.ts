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

const retries = `
---
type: MeshRetry
name: retries
spec: { to: [{ targetRef: { kind: Mesh }, default: { http: { numRetries: 1, backOff: { baseInterval: 1ms } } } }] }
`;

/** A service of one instance for each listener, and a way to call it through a proxy with this policy. */
async function callThrough(t: TestContext, conf: string, ...instances: readonly RequestListener[]) {
  const ports = await Promise.all(instances.map(async (instance) => listening(t, instance)));
  return callPorts(t, mesh(conf), ports);
}

async function callPorts(t: TestContext, yaml: string, ports: readonly number[]) {
  const listeners = await runEnvoy(t, compileYaml(yaml, policies), { endpoints: { [BACKEND]: ports } });
  return () => fetch(`http://127.0.0.1:${listeners.get(`${BACKEND}:10001`)}/`);
}

async function listening(t: TestContext, instance: RequestListener): Promise<number> {
  const server = createServer(instance).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  return (server.address() as { readonly port: number }).port;
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

test("meshCircuitBreaker leaves an instance out that cannot be reached", { timeout: 30_000 }, async (t) => {
  const closed = createServer().listen(0, "127.0.0.1");
  await once(closed, "listening");
  const { port } = closed.address() as { readonly port: number };
  await once(closed.close(), "close");
  const detection =
    "{ splitExternalAndLocalErrors: true, healthyPanicThreshold: 0, maxEjectionPercent: 50, detectors: { localOriginFailures: { consecutive: 2 } } }";
  const good = await listening(t, (_, answer) => answer.end("good"));
  const call = await callPorts(t, mesh(`{ outlierDetection: ${detection} }`), [port, good]);
  const statuses: number[] = [];
  for (let calls = 0; calls < 20; calls++) statuses.push((await call()).status);
  assert.equal(statuses.filter((status) => status === 503).length, 2);
  assert.deepEqual(statuses.slice(-10), Array(10).fill(200));
});

for (const [what, detector] of [
  [
    "answers worse than the others",
    'successRate: { minimumHosts: 2, requestVolume: 5, standardDeviationFactor: "0.5" }',
  ],
  ["fails a large share of its requests", "failurePercentage: { minimumHosts: 2, requestVolume: 5, threshold: 50 }"],
  ["fails as a gateway does", "gatewayFailures: { consecutive: 3 }"],
] as const) {
  test(`meshCircuitBreaker leaves an instance out that ${what}`, { timeout: 30_000 }, async (t) => {
    const call = await callThrough(
      t,
      `{ outlierDetection: { interval: 300ms, healthyPanicThreshold: 0, maxEjectionPercent: 50, detectors: { ${detector} } } }`,
      (_, answer) => answer.writeHead(503).end(),
      (_, answer) => answer.end("good"),
    );
    assert.deepEqual([(await call()).status, (await call()).status].toSorted(), [200, 503]);
    let goodInARow = 0;
    const deadline = performance.now() + 15_000;
    while (goodInARow < 50 && performance.now() < deadline) goodInARow = (await call()).ok ? goodInARow + 1 : 0;
    assert.equal(goodInARow, 50, "the failing instance still gets requests");
  });
}

for (const [what, budget, expected] of [
  ["lets a request be tried again within its budget", "{ percentage: 0, minRetries: 1 }", 2],
  ["lets no request be tried again beyond its budget", "{ percentage: 0, minRetries: 0 }", 1],
] as const) {
  test(`meshCircuitBreaker ${what}`, { timeout: 30_000 }, async (t) => {
    let asked = 0;
    const instance = await listening(t, (_, answer) => {
      asked += 1;
      answer.writeHead(503).end();
    });
    const conf = `{ connectionLimits: { retryBudget: ${budget} } }`;
    const call = await callPorts(t, `${mesh(conf)}${retries}`, [instance]);
    assert.equal((await call()).status, 503);
    assert.equal(asked, expected);
  });
}
