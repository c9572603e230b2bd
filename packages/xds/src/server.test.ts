import assert from "node:assert/strict";
import { connect as connectTcp, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { encodeBytes } from "@heddle/envoy/encode-resource.ts";
import { encodeNode, encodeRequest } from "./fake-wire.ts";
import { XdsRefusal } from "./hooks.ts";
import type { EncodedResource, ResourceSet } from "./resource.ts";
import { fakeProxy, startServer, TEST_TLS, TestControlPlane } from "./testkit/control-plane.ts";
import { framed, openRaw } from "./testkit/raw-stream.ts";
import { TYPE_URL } from "./type-url.ts";

/** A set with resources of the given sizes: `{ cluster: { a: 10 } }` is a cluster "a" of 10 bytes. */
function sized(contents: Partial<Record<keyof typeof TYPE_URL, Record<string, number>>>): ResourceSet {
  const set = new Map<string, ReadonlyMap<string, EncodedResource>>();
  for (const kind of Object.keys(contents) as (keyof typeof TYPE_URL)[]) {
    const entries = Object.entries(contents[kind] ?? {});
    set.set(
      TYPE_URL[kind],
      new Map(entries.map(([name, size]) => [name, encodeBytes(TYPE_URL[kind], name, Buffer.alloc(size, 1))])),
    );
  }
  return set;
}

const small = sized({ cluster: { a: 10, b: 20 }, endpoint: { a: 30 }, listener: { in: 40 } });
const subscriptions = { [TYPE_URL.cluster]: "*", [TYPE_URL.endpoint]: ["a"], [TYPE_URL.listener]: "*" } as const;
const hello = encodeRequest({ typeUrl: TYPE_URL.cluster }, encodeNode("default.raw", "", {}));

test("serveXds() gives an accepted proxy what it asks for, and reports until it is synced", async () => {
  const controlPlane = new TestControlPlane(small);
  await using server = await startServer(controlPlane);
  await using proxy = fakeProxy(server, { subscriptions, keepValues: true, token: "secret" });
  await proxy.connect();
  await controlPlane.waitFor("the proxy is synced", () => controlPlane.events("synced").length > 0);
  const [stream] = controlPlane.streams;
  assert.equal(stream?.request.node.id, "default.web");
  assert.equal(stream?.request.token, "secret");
  assert.match(stream?.request.peer ?? "", /^127\.0\.0\.1:\d+$/);
  assert.deepEqual(proxy.versions(TYPE_URL.endpoint), { a: small.get(TYPE_URL.endpoint)?.get("a")?.version });
  assert.deepEqual(proxy.held.get(TYPE_URL.cluster)?.get("b")?.value, Buffer.alloc(20, 1));
  assert.equal(server.streams, 1);
});

test("serveXds() serves a restarted control plane's proxies without sending them anything", async () => {
  const before = new TestControlPlane(small);
  const first = await startServer(before);
  await using proxy = fakeProxy(first, { subscriptions });
  await proxy.connect();
  await before.waitFor("the proxy is synced", () => before.events("synced").length > 0);
  await first[Symbol.asyncDispose]();
  assert.deepEqual(await proxy.ended, { code: "unavailable", message: "the control plane stops" });
  assert.deepEqual(before.streams[0]?.closed, ["the control plane stops"]);
  const after = new TestControlPlane(small);
  await using _second = await startServer(after, { port: first.port });
  await proxy.connect();
  await after.waitFor("the proxy is synced", () => after.events("synced").length > 0);
  assert.deepEqual(after.events("sent"), []);
});

for (const code of ["unauthenticated", "permission_denied", "not_found", "invalid_argument", "unavailable"] as const) {
  test(`serveXds() tells a refused proxy why: ${code}`, async () => {
    const controlPlane = new TestControlPlane();
    controlPlane.admit = () => {
      throw new XdsRefusal(code, 'Cannot admit "web": 100% of Zoë\'s tokens expired → make a new one');
    };
    await using server = await startServer(controlPlane);
    await using proxy = fakeProxy(server);
    await assert.rejects(proxy.connect());
    const message = 'Cannot admit "web": 100% of Zoë\'s tokens expired → make a new one';
    assert.deepEqual(await proxy.ended, { code, message });
  });
}

for (const sent of ["abc.def", "Bearer abc.def", "bearer abc.def"]) {
  test(`serveXds() reads the token from "${sent}"`, async () => {
    const controlPlane = new TestControlPlane();
    await using server = await startServer(controlPlane);
    await using proxy = fakeProxy(server, { token: sent });
    await proxy.connect();
    assert.equal(controlPlane.streams[0]?.request.token, "abc.def");
  });
}

test("ConnectRequest.end() ends an accepted stream with its reason, and the connection hears of it once", async () => {
  const controlPlane = new TestControlPlane(small);
  await using server = await startServer(controlPlane);
  await using proxy = fakeProxy(server);
  await proxy.connect();
  controlPlane.streams[0]?.request.end("unauthenticated", "the token was revoked");
  controlPlane.streams[0]?.request.end("aborted", "again");
  assert.deepEqual(await proxy.ended, { code: "unauthenticated", message: "the token was revoked" });
  controlPlane.publish(sized({ cluster: { late: 1 } }));
  assert.deepEqual(controlPlane.streams[0]?.closed, ["the token was revoked"]);
});

test("ConnectRequest.end() works while the control plane still makes up its mind", async () => {
  const controlPlane = new TestControlPlane(small);
  const { promise, resolve } = Promise.withResolvers<void>();
  controlPlane.admit = (request) => {
    request.end("aborted", "a newer stream took over");
    return promise;
  };
  await using server = await startServer(controlPlane);
  await using proxy = fakeProxy(server);
  await assert.rejects(proxy.connect(), /aborted: a newer stream took over/);
  resolve();
  await controlPlane.waitFor("it is closed", () => controlPlane.streams[0]?.closed.length === 1);
});

test("serveXds() survives a control plane that throws, and says nothing of the cause to the proxy", async () => {
  const errors: unknown[] = [];
  const controlPlane = new TestControlPlane(small);
  controlPlane.onReport = () => {
    throw new Error("password=hunter2");
  };
  await using server = await startServer(controlPlane, { onError: (error) => errors.push(error) });
  await using proxy = fakeProxy(server);
  await proxy.connect();
  const message = "Cannot serve this stream: the control plane failed, its log says why";
  assert.deepEqual(await proxy.ended, { code: "internal", message });
  assert.match(String(errors[0]), /hunter2/);
  await assertStillServes(controlPlane, server);
});

test("serveXds() takes a push that is made from within a report", async () => {
  const controlPlane = new TestControlPlane(sized({ cluster: { a: 1 } }));
  controlPlane.onReport = (stream, event) => {
    if (event.event === "acked" && controlPlane.events("acked").length === 1) stream.push(sized({ cluster: { b: 1 } }));
  };
  await using server = await startServer(controlPlane);
  await using proxy = fakeProxy(server);
  await proxy.connect();
  await controlPlane.waitFor("b is there", () => "b" in proxy.versions(TYPE_URL.cluster));
});

const malformed = [
  ["no node in the first message", encodeRequest({ typeUrl: TYPE_URL.cluster }), "invalid_argument"],
  ["bytes that are not protobuf", framed(Buffer.from("not protobuf at all")), "invalid_argument"],
  ["a deeply nested message", framed(nested(3_000)), "invalid_argument"],
  ["a compressed message", Buffer.from([1, 0, 0, 0, 1, 0]), "unimplemented"],
  ["a message that is announced as too big", Buffer.from([0, 0xff, 0xff, 0xff, 0xff]), "resource_exhausted"],
  ["a type URL that is missing", encodeRequest({ typeUrl: "" }, encodeNode("x", "", {})), "invalid_argument"],
] as const;

for (const [what, bytes, code] of malformed) {
  test(`serveXds() ends a stream with ${code} for ${what}, and goes on`, async () => {
    const controlPlane = new TestControlPlane(small);
    await using server = await startServer(controlPlane);
    using raw = openRaw(server.port, TEST_TLS.cert);
    raw.stream.write(bytes);
    assert.match(await raw.ended, new RegExp(`^${code}: Cannot `));
    await assertStillServes(controlPlane, server);
  });
}

test("serveXds() reads a first message of some megabytes that comes in small pieces", async () => {
  const controlPlane = new TestControlPlane(small);
  await using server = await startServer(controlPlane);
  using raw = openRaw(server.port, TEST_TLS.cert);
  const message = encodeRequest({ typeUrl: TYPE_URL.cluster }, encodeNode("big", "", { text: "x".repeat(3_000_000) }));
  for (let start = 0; start < message.length; start += 100_000)
    raw.stream.write(message.subarray(start, start + 100_000));
  await controlPlane.waitFor("it is sent something", () => controlPlane.events("sent").length > 0);
  assert.equal(String(controlPlane.streams[0]?.request.node.metadata["text"]).length, 3_000_000);
});

test("serveXds() does not wait for ever for a first message", async () => {
  await using server = await startServer(new TestControlPlane(), { limits: { firstMessageMillis: 50 } });
  using raw = openRaw(server.port, TEST_TLS.cert);
  raw.stream.write(hello.subarray(0, 4));
  assert.match(await raw.ended, /^deadline_exceeded: Cannot serve this stream/);
});

test("serveXds() names the method it has to those who ask for another", async () => {
  await using server = await startServer(new TestControlPlane());
  const path = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";
  using raw = openRaw(server.port, TEST_TLS.cert, { path });
  assert.match(await raw.ended, /^unimplemented: Cannot serve ".*Stream.*DeltaAggregatedResources.*DELTA_GRPC/);
});

test("serveXds() cuts off a client that does not read, and only that one", async () => {
  const controlPlane = new TestControlPlane(sized({ cluster: { big: 3_000_000 } }));
  await using server = await startServer(controlPlane, { limits: { maxStallMillis: 2_000 } });
  using raw = openRaw(server.port, TEST_TLS.cert);
  raw.stream.pause();
  raw.stream.write(hello);
  await using proxy = fakeProxy(server);
  await proxy.connect();
  const slow = () => controlPlane.streams.find(({ request }) => request.node.id === "default.raw");
  await controlPlane.waitFor("the slow one is cut", () => slow()?.closed.length === 1);
  assert.match(slow()?.closed[0] ?? "", /^the proxy does not read: \d+ bytes wait for it$/);
  await controlPlane.waitFor("the other has it", () => "big" in proxy.versions(TYPE_URL.cluster));
});

test("serveXds() cuts off a client for which too much waits", async () => {
  const controlPlane = new TestControlPlane(sized({ cluster: { big: 3_000_000 } }));
  await using server = await startServer(controlPlane, { limits: { maxBufferedBytes: 1_000_000 } });
  using raw = openRaw(server.port, TEST_TLS.cert);
  raw.stream.pause();
  raw.stream.write(hello);
  await controlPlane.waitFor("clusters are sent", () => controlPlane.events("sent").length === 1);
  raw.stream.write(encodeRequest({ typeUrl: TYPE_URL.endpoint, subscribe: ["x"] }));
  await controlPlane.waitFor("it is cut", () => controlPlane.streams[0]?.closed.length === 1);
});

test("serveXds() notices a proxy that is gone although its connection stands", async () => {
  const controlPlane = new TestControlPlane(small);
  await using server = await startServer(controlPlane, { limits: { pingMillis: 100, pongMillis: 1_000 } });
  await using wire = await freezableWire(server.port);
  await using proxy = fakeProxy(server, { port: wire.port });
  await proxy.connect();
  await new Promise((resolve) => setTimeout(resolve, 1_300));
  assert.deepEqual(controlPlane.streams[0]?.closed, [], "a healthy proxy answers its pings");
  wire.freeze();
  await controlPlane.waitFor("it is given up", () => controlPlane.streams[0]?.closed.length === 1);
});

test("serveXds() serves many streams at once", async () => {
  const controlPlane = new TestControlPlane(small);
  await using server = await startServer(controlPlane);
  const proxies = Array.from({ length: 150 }, (_, index) => fakeProxy(server, { node: { id: `default.p${index}` } }));
  await Promise.all(proxies.map((proxy) => proxy.connect()));
  controlPlane.publish(sized({ cluster: { c: 10_000 } }));
  const hasAll = () => proxies.every((proxy) => "c" in proxy.versions(TYPE_URL.cluster));
  await controlPlane.waitFor("all have c", hasAll);
  assert.equal(server.streams, 150);
  await Promise.all(proxies.map((proxy) => proxy[Symbol.asyncDispose]()));
});

test("serveXds() says that a port is in use", async () => {
  await using server = await startServer(new TestControlPlane());
  const message = new RegExp(`^Error: Cannot listen on "127.0.0.1:${server.port}": the port is in use`);
  await assert.rejects(startServer(new TestControlPlane(), { port: server.port }), message);
});

/** A proxy that comes after the trouble is served. */
async function assertStillServes(controlPlane: TestControlPlane, server: Awaited<ReturnType<typeof startServer>>) {
  controlPlane.onReport = () => {};
  await using proxy = fakeProxy(server, { node: { id: "default.after" } });
  await proxy.connect();
  await controlPlane.waitFor("a later proxy is served", () => proxy.counts.acks > 0);
}

/** Protobuf: a Node whose metadata is a list in a list in a list. */
function nested(depth: number): Uint8Array {
  let value: Uint8Array = new Uint8Array();
  const around = (field: number, inner: Uint8Array) => {
    const head = [(field << 3) | 2];
    let rest = inner.length;
    for (; rest > 0x7f; rest >>>= 7) head.push((rest & 0x7f) | 0x80);
    return Buffer.concat([Buffer.from([...head, rest]), inner]);
  };
  for (let level = 0; level < depth; level += 1) value = around(6, around(1, value));
  return around(1, around(3, around(1, Buffer.concat([around(1, Buffer.from("k")), around(2, value)]))));
}

/** A TCP hop to the server that can stop passing bytes on, with both connections left open. */
async function freezableWire(to: number): Promise<AsyncDisposable & { readonly port: number; freeze(): void }> {
  const sockets: Socket[] = [];
  const hop = createServer((near) => {
    const far = connectTcp(to, "127.0.0.1");
    for (const socket of [near, far]) socket.on("error", () => {});
    near.pipe(far);
    far.pipe(near);
    sockets.push(near, far);
  });
  await new Promise<void>((resolve) => hop.listen(0, "127.0.0.1", resolve));
  return {
    port: (hop.address() as { port: number }).port,
    freeze: () => sockets.forEach((socket) => socket.unpipe().pause()),
    [Symbol.asyncDispose]: async () => {
      sockets.forEach((socket) => socket.destroy());
      await new Promise((resolve) => hop.close(resolve));
    },
  };
}
