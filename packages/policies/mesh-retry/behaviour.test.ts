import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { connect, createServer as createTcpServer, type Server } from "node:net";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { Client, credentials, Server as GrpcServer, ServerCredentials, type ServiceError, status } from "@grpc/grpc-js";
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

test("meshRetry sends a request never twice where it says zero", async (t) => {
  let asked = 0;
  const instance = await listening(
    t,
    createServer((_, answer) => {
      asked += 1;
      answer.writeHead(503).end();
    }),
  );
  const port = await offered(t, "http", "{ http: { numRetries: 0 } }", [instance]);
  assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 503);
  assert.equal(asked, 1);
});

test("meshRetry reads the status of gRPC off its own header", async (t) => {
  const answers = { asked: 0, first: status.UNAVAILABLE };
  const instance = await grpcInstance(t, answers);
  const conf = "{ grpc: { numRetries: 2, retryOn: [Unavailable], backOff: { baseInterval: 1ms } } }";
  const call = grpcCaller(t, await offered(t, "grpc", conf, [instance]));
  assert.equal(await call(), "hello");
  assert.equal(answers.asked, 2);
  Object.assign(answers, { asked: 0, first: status.NOT_FOUND });
  await assert.rejects(call(), { code: status.NOT_FOUND });
  assert.equal(answers.asked, 1);
});

const METHOD = "/test.Greeter/Greet";
const asIs = (message: Buffer): Buffer => message;

/** A gRPC server that answers the first request with a status that is an error and the others with a greeting. */
async function grpcInstance(t: TestContext, answers: { asked: number; readonly first: status }): Promise<number> {
  const server = new GrpcServer();
  t.after(() => server.forceShutdown());
  const shape = { path: METHOD, requestStream: false, responseStream: false } as const;
  const bytes = {
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  server.addService(
    { greet: { ...shape, ...bytes } },
    {
      greet: (_: unknown, answer: (error: Partial<ServiceError> | null, message?: Buffer) => void) => {
        answers.asked += 1;
        if (answers.asked === 1) answer({ code: answers.first, details: "not now" });
        else answer(null, Buffer.from("hello"));
      },
    },
  );
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
    error === null ? resolve(port) : reject(error),
  );
  return promise;
}

/** Calls through a proxy; the client itself tries nothing again. */
function grpcCaller(t: TestContext, port: number): () => Promise<string> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), { "grpc.enable_retries": 0 });
  t.after(() => client.close());
  return async () => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    client.makeUnaryRequest(METHOD, asIs, asIs, Buffer.from("hi"), (error, message) =>
      error === null ? resolve(String(message)) : reject(error),
    );
    return promise;
  };
}
