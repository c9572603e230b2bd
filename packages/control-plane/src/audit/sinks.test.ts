import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { openFileSink } from "./file-sink.ts";
import { otlpSink } from "./otlp-sink.ts";
import { AuditQueue, type QueueOptions, type Sink } from "./queue.ts";
import { tcpSink } from "./tcp-sink.ts";

const now = (): Date => new Date("2026-01-02T03:04:05.678Z");
const line = (text: string): string => JSON.stringify({ time: now().toISOString(), text });

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "audit-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A sink that takes nothing until it is let, and whose failures the test decides. */
function gatedSink(): Sink & { readonly written: string[][]; open(): void; failures: number } {
  const gate = Promise.withResolvers<void>();
  const written: string[][] = [];
  return {
    name: "the test",
    written,
    failures: 0,
    open: () => gate.resolve(),
    async write(lines) {
      await gate.promise;
      if (this.failures > 0) {
        this.failures -= 1;
        throw new Error("it is away");
      }
      written.push([...lines]);
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

function queueOf(sink: Sink, change: Partial<QueueOptions> = {}): { queue: AuditQueue; problems: string[] } {
  const problems: string[] = [];
  const onProblem = (message: string): void => void problems.push(message);
  return { queue: new AuditQueue({ sink, size: 3, onProblem, now, retryMillis: 1, ...change }), problems };
}

test("AuditQueue loses what does not fit, says so, and tells how much in the log itself", async () => {
  const sink = gatedSink();
  const { queue, problems } = queueOf(sink);
  const kept = ["a", "b", "c"].map((each) => queue.push(line(each)));
  // These settle although nothing is written: a full queue holds nobody up.
  await Promise.all(["d", "e"].map((each) => queue.push(line(each))));
  assert.equal(queue.lost, 2);
  assert.deepEqual(problems, ["Cannot keep the audit log in the test: records are lost: too many wait already"]);
  sink.open();
  await Promise.all(kept);
  await queue.push(line("f"));
  assert.deepEqual(sink.written.flat(), [
    ...["a"].map(line),
    JSON.stringify({ time: now().toISOString(), lost: 2 }),
    ...["b", "c", "f"].map(line),
  ]);
  assert.equal(queue.lost, 0);
});

test("AuditQueue tries again, in order, until the sink takes the records", async () => {
  const sink = gatedSink();
  const { queue, problems } = queueOf(sink);
  sink.failures = 3;
  sink.open();
  await Promise.all(["a", "b"].map((each) => queue.push(line(each))));
  assert.deepEqual(sink.written.flat(), ["a", "b"].map(line));
  assert.deepEqual(problems, ["Cannot keep the audit log in the test: records wait and are tried again"]);
});

test("AuditQueue gives up at the end of the control plane, and says what is lost", async () => {
  const sink = gatedSink();
  const { queue, problems } = queueOf(sink, { retryMillis: 60_000 });
  sink.failures = 100;
  sink.open();
  const pushed = queue.push(line("a"));
  await queue[Symbol.asyncDispose]();
  await pushed;
  assert.deepEqual(
    problems.at(-1),
    "Cannot keep the audit log in the test: 1 records are lost: the control plane stops",
  );
});

test("openFileSink() only adds to what is there, and starts a line of its own after half a one", async (t) => {
  const path = join(await folderOf(t), "audit.log");
  await writeFile(path, `${line("old")}\n{"time":"20`);
  await using sink = await openFileSink({ path }, now);
  await sink.write([line("new")]);
  assert.deepEqual((await readFile(path, "utf8")).split("\n"), [line("old"), '{"time":"20', line("new"), ""]);
});

test("openFileSink() makes a file that only its owner reads", async (t) => {
  const path = join(await folderOf(t), "audit.log");
  await using sink = await openFileSink({ path }, now);
  await sink.write([line("a")]);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test("openFileSink() rotates when the file is large, loses no line and keeps as many files as it is told", async (t) => {
  const folder = await folderOf(t);
  const path = join(folder, "audit.log");
  await writeFile(join(folder, "audit.log.of-somebody-else"), "");
  const rotation = { maxSizeMb: 1, maxRetainedFiles: 2, maxAgeDays: 0 };
  await using sink = await openFileSink({ path, rotation }, now);
  const large = line("x".repeat(1_100_000));
  for (const each of ["a", "b", "c", "d"]) await sink.write([line(each), large]);
  const files = (await readdir(folder)).toSorted();
  assert.deepEqual(files, [
    "audit.log",
    "audit.log.2026-01-02T03-04-05-678Z-1",
    "audit.log.2026-01-02T03-04-05-678Z-2",
    "audit.log.of-somebody-else",
  ]);
  const firstLines = await Promise.all(
    files.slice(0, 3).map(async (name) => (await readFile(join(folder, name), "utf8")).split("\n")[0]),
  );
  assert.deepEqual(firstLines, [line("d"), line("b"), line("c")]);
});

test("openFileSink() says why it cannot write there", async () => {
  await assert.rejects(openFileSink({ path: "/proc/nowhere/audit.log" }, now), /ENOENT|EACCES/);
});

test("tcpSink() sends a JSON object a line, and connects anew when the connection broke", async (t) => {
  const sockets: Socket[] = [];
  let text = "";
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.setEncoding("utf8").on("data", (part: string) => (text += part));
  }).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await using sink = tcpSink(`127.0.0.1:${port}`);
  const { queue } = queueOf(sink);
  await queue.push(line("a"));
  while (!text.includes("\n")) await once(sockets[0] as Socket, "data");
  sockets[0]?.resetAndDestroy();
  await new Promise((resolve) => setImmediate(resolve));
  await queue.push(line("b"));
  if (sockets.length < 2) await once(server, "connection");
  while (!text.includes(line("b"))) await once(sockets.at(-1) as Socket, "data");
  assert.deepEqual(text, `${line("a")}\n${line("b")}\n`);
});

test("otlpSink() posts log records, and fails when the collector does not take them", async (t) => {
  const bodies: unknown[] = [];
  let status = 200;
  const server = createHttpServer((request, response) => {
    json(request).then((body) => {
      bodies.push([request.url, body]);
      response.writeHead(status).end("{}");
    }, assert.ifError);
  }).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  await using sink = otlpSink(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, "cp-1");
  await sink.write([line("a")]);
  const [path, body] = bodies[0] as [string, { resourceLogs: { scopeLogs: { logRecords: unknown[] }[] }[] }];
  assert.equal(path, "/v1/logs");
  assert.deepEqual(body.resourceLogs[0]?.scopeLogs[0]?.logRecords, [
    {
      timeUnixNano: `${now().getTime()}000000`,
      severityNumber: 9,
      severityText: "INFO",
      body: { stringValue: line("a") },
      attributes: [{ key: "event.name", value: { stringValue: "heddle.audit" } }],
    },
  ]);
  status = 503;
  await assert.rejects(sink.write([line("b")]), /the collector answers 503/);
});
