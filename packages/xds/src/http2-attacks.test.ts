import assert from "node:assert/strict";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { ADS_PATH } from "./ads-service.ts";
import { fakeProxy, startServer, TEST_TLS, TestControlPlane } from "./testkit/control-plane.ts";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** A frame of HTTP/2: RFC 9113, section 4.1. */
function frame(type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array()): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const [HEADERS, RST, SETTINGS, PING, WINDOW, CONTINUATION] = [1, 3, 4, 6, 8, 9];
// :method POST and :path / from HPACK's static table, :scheme https, no host.
const BLOCK = Buffer.from([0x83, 0x84, 0x87]);
const odd = (index: number): number => 2 * index + 1;
const many = (count: number, make: (index: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, index) => make(index)));

const attacks: readonly (readonly [string, Buffer])[] = [
  [
    "streams that are reset as soon as they are open",
    many(20_000, (index) =>
      Buffer.concat([frame(HEADERS, 4, odd(index), BLOCK), frame(RST, 0, odd(index), Buffer.alloc(4, 8))]),
    ),
  ],
  [
    "headers that go on and on",
    Buffer.concat([
      frame(HEADERS, 0, 1, BLOCK),
      many(20_000, () =>
        frame(CONTINUATION, 0, 1, Buffer.concat([Buffer.from([0x00, 1, 0x61, 100]), Buffer.alloc(100, 0x62)])),
      ),
    ]),
  ],
  ["settings by the thousand", many(50_000, () => frame(SETTINGS, 0, 0, Buffer.from([0, 4, 0, 0, 0xff, 0xff])))],
  ["pings by the thousand", many(50_000, () => frame(PING, 0, 0, Buffer.alloc(8)))],
  ["streams by the thousand", many(20_000, (index) => frame(HEADERS, 4, odd(index), BLOCK))],
  ["windows beyond all bounds", many(10, () => frame(WINDOW, 0, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff])))],
  ["frames longer than allowed", frame(HEADERS, 4, 1, Buffer.alloc(1_000_000))],
  ["a preface and nothing that is a frame", Buffer.alloc(100_000, 0xff)],
];

for (const [what, bytes] of attacks) {
  test(`serveXds() stays small and serves others while somebody sends ${what}`, async () => {
    const controlPlane = new TestControlPlane();
    await using server = await startServer(controlPlane, {
      limits: { pingMillis: 200, pongMillis: 500, stopMillis: 200 },
    });
    const before = process.memoryUsage().rss;
    const cpu = process.threadCpuUsage();
    const socket = await openTls(server.port, "h2");
    socket.on("error", () => undefined).resume();
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.write(Buffer.concat([PREFACE, frame(SETTINGS, 0, 0), bytes]));
    await using proxy = fakeProxy(server, { token: "t" });
    await proxy.connect();
    const late = setTimeout(() => socket.destroy(), 1_000);
    await closed;
    clearTimeout(late);
    const { user, system } = process.threadCpuUsage(cpu);
    assert.ok(
      process.memoryUsage().rss - before < 100 * 1_048_576,
      `RSS grew by ${process.memoryUsage().rss - before}`,
    );
    assert.ok(user + system < 3_000_000, `it took ${(user + system) / 1_000} ms of the processor`);
  });
}

test("serveXds() opens at most a hundred streams on a connection", async () => {
  const controlPlane = new TestControlPlane();
  await using server = await startServer(controlPlane);
  const session = connectHttp2(`https://127.0.0.1:${server.port}`, { ca: TEST_TLS.cert, servername: "localhost" });
  const streams = Array.from({ length: 1_000 }, () =>
    session
      .request({ ":method": "POST", ":path": ADS_PATH, "content-type": "application/grpc" })
      .on("error", () => undefined),
  );
  await using proxy = fakeProxy(server, { token: "t" });
  await proxy.connect();
  assert.ok(server.streams <= 101, `${server.streams} streams are open`);
  for (const stream of streams) stream.destroy();
  session.destroy();
});

test("serveXds() serves others while a thousand strangers hold connections and say nothing, and closes them in time", async () => {
  const limits = { firstMessageMillis: 1_500, pingMillis: 500, pongMillis: 500, stopMillis: 200 };
  await using server = await startServer(new TestControlPlane(), { limits });
  const before = process.memoryUsage().rss;
  const opened = performance.now();
  const closed: Promise<void>[] = [];
  // In turns: what does not fit into the queue of the port is held by nobody but its own end.
  for (let turn = 0; turn < 9; turn += 1)
    await Promise.all(Array.from({ length: 100 }, async () => closed.push(closeOf(await openTcp(server.port)))));
  const greet = async (): Promise<void> => {
    const socket = await openTls(server.port, "h2");
    closed.push(closeOf(socket));
    socket.write(Buffer.concat([PREFACE, frame(SETTINGS, 0, 0)]));
  };
  await Promise.all(Array.from({ length: 100 }, greet));
  const start = performance.now();
  await using proxy = fakeProxy(server, { token: "t" });
  await proxy.connect();
  assert.ok(performance.now() - start < 1_000, `a proxy waited for ${performance.now() - start} ms`);
  assert.ok(process.memoryUsage().rss - before < 100 * 1_048_576, `RSS grew by ${process.memoryUsage().rss - before}`);
  await Promise.all(closed);
  assert.ok(performance.now() - opened < 10_000, `they were there for ${performance.now() - opened} ms`);
  assert.equal(server.streams, 1);
});

const HIDDEN = "POST /drain HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
const smuggled: readonly (readonly [string, string])[] = [
  ["both a length and chunks", `Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ["two lengths", `Content-Length: 0\r\nContent-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`],
  ["an encoding nobody knows", `Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ["a space before the colon", `Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ["a folded header", `X-A: b\r\n Content-Length: 0\r\n\r\n${HIDDEN}`],
  ["line feeds alone", `X-A: b\nContent-Length: 0\n\n${HIDDEN}`],
  ["a chunk size that is none", `Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n${HIDDEN}`],
];

for (const [what, rest] of smuggled) {
  test(`serveXds() never sees a second request of HTTP/1.1 behind one with ${what}`, async () => {
    const seen: string[] = [];
    await using server = await startServer(new TestControlPlane(), {
      handleHttp: (request, response) => {
        seen.push(request.url ?? "");
        request.resume();
        (response as { end(): void }).end();
      },
    });
    const socket = await openTls(server.port, "http/1.1");
    socket.on("error", () => undefined);
    socket.end(`POST /bootstrap HTTP/1.1\r\nHost: localhost\r\n${rest}`);
    await text(socket).catch(() => "");
    assert.ok(!seen.includes("/drain"), seen.join());
  });
}

function openTcp(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp(port, "127.0.0.1", () => resolve(socket));
    socket.once("error", reject);
  });
}

function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) =>
    socket
      .on("error", () => undefined)
      .once("close", () => resolve())
      .resume(),
  );
}

function openTls(port: number, protocol: string): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      port,
      host: "127.0.0.1",
      ca: TEST_TLS.cert,
      servername: "localhost",
      ALPNProtocols: [protocol],
    });
    socket.once("error", reject);
    socket.once("secureConnect", () => resolve(socket));
  });
}
