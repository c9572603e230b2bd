import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { connect, createServer as createTcpServer, type Server } from "node:net";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { compileYaml } from "@heddle/engine/testkit/compile-yaml.ts";
import { runEnvoy } from "@heddle/engine/testkit/run-envoy.ts";
import { policies } from "../index.ts";

const BACKEND = "kri_msvc_default___backend_80";
const mesh = (protocol: string, conf: string): string => `
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
type: MeshRetry
name: retries
spec: { to: [{ targetRef: { kind: MeshService, name: backend }, default: ${conf} }] }
`;

/** The port under which a proxy with this policy offers a service with these instances. */
async function offered(t: TestContext, protocol: string, conf: string, instances: readonly number[]): Promise<number> {
  const compiled = compileYaml(mesh(protocol, conf), policies);
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

/** A port at which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createTcpServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  await once(server.close(), "close");
  return port;
}

test("meshRetry sends a request again that was answered with 503, and only by the methods it names", async (t) => {
  let asked = 0;
  const everySecondFails: RequestListener = (_, answer) => {
    asked += 1;
    answer.writeHead(asked % 2 === 1 ? 503 : 200).end();
  };
  const instance = await listening(t, createServer(everySecondFails));
  const conf = '{ http: { numRetries: 3, retryOn: ["503", HttpMethodGet], backOff: { baseInterval: 1ms } } }';
  const url = `http://127.0.0.1:${await offered(t, "http", conf, [instance])}/`;
  assert.equal((await fetch(url)).status, 200);
  assert.equal(asked, 2);
  assert.equal((await fetch(url, { method: "POST" })).status, 503);
  assert.equal(asked, 3);
});

test("meshRetry gives up after as many retries as it says", async (t) => {
  let asked = 0;
  const alwaysFails: RequestListener = (_, answer) => {
    asked += 1;
    answer.writeHead(503).end();
  };
  const instance = await listening(t, createServer(alwaysFails));
  const conf = "{ http: { numRetries: 2, backOff: { baseInterval: 1ms } } }";
  assert.equal((await fetch(`http://127.0.0.1:${await offered(t, "http", conf, [instance])}/`)).status, 503);
  assert.equal(asked, 3);
});

test("meshRetry goes to another instance when one cannot be reached", async (t) => {
  const instance = await listening(
    t,
    createServer((_, answer) => answer.end("here")),
  );
  const conf =
    "{ http: { numRetries: 1, retryOn: [ConnectFailure], hostSelection: [{ predicate: OmitPreviousHosts }], hostSelectionMaxAttempts: 5 } }";
  const url = `http://127.0.0.1:${await offered(t, "http", conf, [await closedPort(), instance])}/`;
  for (let calls = 0; calls < 6; calls++) assert.equal((await fetch(url)).status, 200);
});

test("meshRetry connects again where bytes are only moved", async (t) => {
  const instance = await listening(
    t,
    createTcpServer((socket) => socket.end("here")),
  );
  const conf = "{ tcp: { maxConnectAttempt: 3 } }";
  const port = await offered(t, "tcp", conf, [await closedPort(), instance]);
  for (let calls = 0; calls < 6; calls++) assert.equal(await text(connect(port, "127.0.0.1")), "here");
});
