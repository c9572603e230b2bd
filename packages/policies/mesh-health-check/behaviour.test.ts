import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { constants, createServer as createHttp2Server, type ServerHttp2Stream } from "node:http2";
import { connect, createServer as createTcpServer, type Server } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { test, type TestContext } from "node:test";
import { compileYaml } from "@heddle/engine/testkit/compile-yaml.ts";
import { runEnvoy } from "@heddle/engine/testkit/run-envoy.ts";
import { policies } from "../index.ts";

const BACKEND = "kri_msvc_default___backend_80";
const PACE = "interval: 50ms, noTrafficInterval: 50ms, timeout: 1s, unhealthyThreshold: 1, healthyThreshold: 1";
const mesh = (protocol: string, check: string): string => `
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
spec: { ports: [{ port: 80, appProtocol: ${protocol} }] }
---
type: MeshHealthCheck
name: checks
spec: { to: [{ targetRef: { kind: Mesh }, default: { ${PACE}, ${check} } }] }
`;

/** The port under which a proxy with this check offers a service with these instances. */
async function offered(t: TestContext, protocol: string, check: string, instances: readonly number[]): Promise<number> {
  const compiled = compileYaml(mesh(protocol, check), policies);
  const listeners = await runEnvoy(t, compiled, { endpoints: { [BACKEND]: instances } });
  const port = listeners.get(`${BACKEND}:10001`);
  assert.ok(port !== undefined);
  return port;
}

async function listening(t: TestContext, server: Server): Promise<number> {
  t.after(() => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  return (server.address() as { readonly port: number }).port;
}

/** Everybody who answers ten requests in a row. */
async function answering(ask: () => Promise<string>): Promise<string> {
  const names = new Set<string>();
  for (let calls = 0; calls < 10; calls++) names.add(await ask());
  return [...names].toSorted().join();
}

async function eventually(who: () => Promise<string>, expected: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  let last = await who();
  while (last !== expected && performance.now() < deadline) {
    await sleep(50);
    last = await who();
  }
  assert.equal(last, expected);
}

test("meshHealthCheck leaves an instance out while it says that it does not work", { timeout: 40_000 }, async (t) => {
  let works = true;
  const instance =
    (name: string, isHealthy: () => boolean): RequestListener =>
    ({ url }, answer) =>
      url === "/health" ? answer.writeHead(isHealthy() ? 204 : 200).end() : answer.end(name);
  const ports = [
    await listening(t, createServer(instance("a", () => works))),
    await listening(t, createServer(instance("b", () => true))),
  ];
  const port = await offered(t, "http", "http: { path: /health, expectedStatuses: [204] }", ports);
  const who = () => answering(async () => (await fetch(`http://127.0.0.1:${port}/`)).text());
  await eventually(who, "a,b");
  works = false;
  await eventually(who, "b");
  works = true;
  await eventually(who, "a,b");
});

test("meshHealthCheck leaves an instance out that does not answer as it must where bytes are moved", async (t) => {
  const instance = (greeting: string, name: string): Server =>
    createTcpServer((socket) => {
      socket.on("error", () => undefined);
      socket.on("data", (data) => {
        if (String(data) === "ping") socket.write(greeting);
        else socket.end(name);
      });
    });
  const ports = [await listening(t, instance("pong", "a")), await listening(t, instance("what?", "b"))];
  const check = "reuseConnection: false, tcp: { send: cGluZw==, receive: [cG9uZw==] }";
  const port = await offered(t, "tcp", check, ports);
  const who = () => answering(() => text(connect(port, "127.0.0.1").end("who?")));
  await eventually(who, "a");
});

test("meshHealthCheck asks gRPC services by the protocol made for that", async (t) => {
  const instance = (name: string, status: number): Server =>
    createHttp2Server().on("stream", (stream: ServerHttp2Stream, headers) => {
      if (headers[constants.HTTP2_HEADER_PATH] !== "/grpc.health.v1.Health/Check") {
        stream.respond({ ":status": 200 });
        stream.end(name);
        return;
      }
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      // A message of two bytes: field 1, the status, of which 1 is SERVING and 2 is NOT_SERVING.
      stream.end(Buffer.from([0, 0, 0, 0, 2, 8, status]));
    });
  const ports = [await listening(t, instance("a", 2)), await listening(t, instance("b", 1))];
  const port = await offered(t, "grpc", "grpc: {}", ports);
  const who = () => answering(async () => (await fetch(`http://127.0.0.1:${port}/`)).text());
  await eventually(who, "b");
});

for (const [what, panic, expected] of [
  ["sends requests to all when too few instances work", "", "sick"],
  ["fails requests when too few instances work and the policy says so", "failTrafficOnPanic: true, ", "503"],
] as const) {
  test(`meshHealthCheck ${what}`, async (t) => {
    let checks = 0;
    const sick: RequestListener = ({ url }, answer) => {
      if (url !== "/health") return void answer.end("sick");
      checks += 1;
      answer.writeHead(500).end();
    };
    const port = await offered(t, "http", `${panic}http: { path: /health }`, [await listening(t, createServer(sick))]);
    // The first failure counts; the third shows that Envoy has taken note of it.
    await eventually(async () => String(checks >= 3), "true");
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    assert.equal(answer.ok ? await answer.text() : String(answer.status), expected);
  });
}
