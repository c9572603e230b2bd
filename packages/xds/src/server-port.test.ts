import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { Agent, request } from "node:https";
import type { IncomingMessage } from "node:http";
import { connect as connectTls } from "node:tls";
import { test } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type EndpointHealthResponse,
  HealthCheckRequestOrEndpointHealthResponseSchema,
  HealthCheckSpecifierSchema,
} from "@heddle/envoy/gen/envoy/service/health/v3/hds_pb.js";
import { FrameReader } from "./grpc-frame.ts";
import { HEALTH_PATH } from "./health-service.ts";
import { type HealthHooks, XdsRefusal } from "./hooks.ts";
import type { HttpHandler } from "./server.ts";
import { fakeProxy, startServer, TEST_TLS, TestControlPlane } from "./testkit/control-plane.ts";
import { framed, openRaw } from "./testkit/raw-stream.ts";
import { selfSigned } from "./testkit/self-signed.ts";

/** Answers with what it was asked. */
const echo: HttpHandler = (incoming, response) => {
  const chunks: Uint8Array[] = [];
  incoming.on("data", (chunk: Uint8Array) => chunks.push(chunk));
  incoming.on("end", () => {
    response.setHeader("content-type", "text/plain");
    response.end(`HTTP/${incoming.httpVersion} ${incoming.method} ${incoming.url} ${Buffer.concat(chunks).toString()}`);
  });
};

test("serveXds() gives HTTP/1.1 requests on the same port to the handler", async () => {
  await using server = await startServer(new TestControlPlane(), { handleHttp: echo });
  const outgoing = request({ ...local(server.port), method: "POST", path: "/bootstrap" }).end("hello");
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  assert.equal((await response.toArray()).join(""), "HTTP/1.1 POST /bootstrap hello");
});

test("serveXds() gives HTTP/2 requests on the same port to the handler", async () => {
  await using server = await startServer(new TestControlPlane(), { handleHttp: echo });
  const session = connectHttp2(`https://127.0.0.1:${server.port}`, { ca: TEST_TLS.cert, servername: "localhost" });
  const stream = session.request({ ":method": "POST", ":path": "/bootstrap" }).end("hello");
  assert.equal((await stream.toArray()).join(""), "HTTP/2.0 POST /bootstrap hello");
  session.destroy();
});

test("XdsServer stops in bounded time, whatever clients keep open", async () => {
  const controlPlane = new TestControlPlane();
  const server = await startServer(controlPlane, { handleHttp: echo, limits: { stopMillis: 200 } });
  await using proxy = fakeProxy(server);
  await proxy.connect();
  using silent = openRaw(server.port, TEST_TLS.cert);
  await once(silent.session, "connect");
  const agent = new Agent({ keepAlive: true });
  const outgoing = request({ ...local(server.port), agent, method: "POST" }).end();
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  await response.toArray();
  const started = performance.now();
  await server[Symbol.asyncDispose]();
  assert.ok(performance.now() - started < 2_000);
  assert.deepEqual(controlPlane.streams[0]?.closed, ["the control plane stops"]);
  assert.equal((await proxy.ended).code, "unavailable");
  agent.destroy();
});

test("XdsServer.setTls() shows another certificate to new connections and keeps the old ones", async () => {
  const controlPlane = new TestControlPlane();
  await using server = await startServer(controlPlane);
  await using proxy = fakeProxy(server);
  await proxy.connect();
  const next = selfSigned();
  server.setTls(next);
  const socket = connectTls({ host: "127.0.0.1", port: server.port, ca: next.cert, servername: "localhost" });
  await once(socket, "secureConnect");
  socket.destroy();
  assert.deepEqual(controlPlane.streams[0]?.closed, []);
});

test("serveXds() closes connections that never carry a stream", async () => {
  await using server = await startServer(new TestControlPlane(), { limits: { pingMillis: 50 } });
  const session = connectHttp2(`https://127.0.0.1:${server.port}`, { ca: TEST_TLS.cert, servername: "localhost" });
  await once(session, "close");
});

test("serveXds() tells proxies what to check and passes on what they find", async () => {
  const received = Promise.withResolvers<EndpointHealthResponse>();
  const closed = Promise.withResolvers<string>();
  const health: HealthHooks = {
    connect: async (opened) => {
      assert.equal(opened.node.id, "default.web");
      return {
        attach: (send) => send(create(HealthCheckSpecifierSchema, { interval: { seconds: 7n } })),
        receive: received.resolve,
        close: closed.resolve,
      };
    },
  };
  await using server = await startServer(new TestControlPlane(), { health });
  const raw = openRaw(server.port, TEST_TLS.cert, { path: HEALTH_PATH });
  raw.stream.write(healthMessage({ case: "healthCheckRequest", value: { node: { id: "default.web" } } }));
  const [chunk] = (await once(raw.stream, "data")) as [Uint8Array];
  const [specifier] = new FrameReader(1_000).read(chunk);
  assert.ok(specifier);
  assert.equal(fromBinary(HealthCheckSpecifierSchema, specifier).interval?.seconds, 7n);
  const clusterEndpointsHealth = [{ clusterName: "app" }];
  raw.stream.write(healthMessage({ case: "endpointHealthResponse", value: { clusterEndpointsHealth } }));
  assert.equal((await received.promise).clusterEndpointsHealth[0]?.clusterName, "app");
  raw.session.destroy();
  assert.match(await closed.promise, /connection/);
});

test("serveXds() refuses health streams with the reason of the control plane", async () => {
  const health: HealthHooks = {
    connect: async () => {
      throw new XdsRefusal("permission_denied", 'Cannot serve "default.web": it is not ours');
    },
  };
  await using server = await startServer(new TestControlPlane(), { health });
  using raw = openRaw(server.port, TEST_TLS.cert, { path: HEALTH_PATH });
  raw.stream.write(healthMessage({ case: "healthCheckRequest", value: { node: { id: "default.web" } } }));
  assert.equal(await raw.ended, 'permission_denied: Cannot serve "default.web": it is not ours');
});

function healthMessage(
  requestType: MessageInitShape<typeof HealthCheckRequestOrEndpointHealthResponseSchema>["requestType"],
): Uint8Array {
  const schema = HealthCheckRequestOrEndpointHealthResponseSchema;
  return framed(toBinary(schema, create(schema, requestType === undefined ? {} : { requestType })));
}

function local(port: number) {
  return { host: "127.0.0.1", port, ca: TEST_TLS.cert, servername: "localhost" };
}
