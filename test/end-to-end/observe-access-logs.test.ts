import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { parse, stringify } from "yaml";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import { type Lab, meshService, type Sidecar, startLab } from "../support/lab.ts";
import { otlpReceiver } from "../support/otlp-receiver.ts";
import { askAnew as ask } from "../support/traffic.ts";

/** A policy that writes what the web proxy sends to these backends. */
function outgoing(...backends: readonly object[]): string {
  return stringify({
    type: "MeshAccessLog",
    mesh: "default",
    name: "outgoing",
    spec: { to: [{ targetRef: { kind: "Mesh" }, default: { backends } }] },
  });
}

async function webAndBackend(t: TestContext, lab: Lab, env: Record<string, string> = {}): Promise<Sidecar> {
  await lab.apply(meshService("backend"));
  const { port } = await application(t, "backend");
  await lab.sidecar({ name: "backend-1", labels: { app: "backend" }, servicePort: port });
  const labels = { app: "web", "kuma.io/workload": "web" };
  const web = await lab.sidecar({ name: "web-1", labels, calls: ["backend"], env });
  await eventually(async () => assert.equal((await ask(web.outbound("backend"))).status, 200));
  return web;
}

/** What a log server got, whole lines only. */
class LogServer {
  readonly port: number;
  text = "";
  #server: Server | undefined;
  readonly #sockets = new Set<Socket>();

  constructor(port: number) {
    this.port = port;
  }

  async start(): Promise<void> {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.setEncoding("utf8").on("data", (chunk: string) => (this.text += chunk));
      socket.on("error", () => undefined);
    }).listen(this.port, "127.0.0.1");
    await once(this.#server, "listening");
  }

  async stop(): Promise<void> {
    const closed = this.#server && once(this.#server, "close");
    this.#server?.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    this.#server = undefined;
  }

  get lines(): readonly string[] {
    return this.text.split("\n").slice(0, -1);
  }
}

for (const supervisor of ["shell", "node"]) {
  test(`MeshAccessLog: lines arrive whole at a TCP server, also after it was away (supervisor: ${supervisor})`, async (t) => {
    const lab = await startLab(t);
    const [port = 0] = await freePorts(1);
    const server = new LogServer(port);
    await server.start();
    t.after(() => server.stop());
    const web = await webAndBackend(t, lab, { HEDDLE_DATAPLANE_SUPERVISOR: supervisor });
    const format = {
      type: "Plain",
      plain: "%REQ(:PATH)% %KUMA_SOURCE_SERVICE%>%KUMA_DESTINATION_SERVICE% %RESPONSE_CODE%",
    };
    await lab.apply(outgoing({ type: "Tcp", tcp: { address: `127.0.0.1:${port}`, format } }));
    await lab.settled();
    for (let count = 0; count < 20; count++) await ask(`${web.outbound("backend")}/${count}`);
    const expected = Array.from({ length: 20 }, (_, count) => `/${count} web>backend 200`);
    await eventually(() => assert.deepEqual(server.lines, expected), 25_000);

    await server.stop();
    await ask(`${web.outbound("backend")}/away`);
    server.text = "";
    await server.start();
    await ask(`${web.outbound("backend")}/back`);
    // The last lines come when the proxy ends: Envoy keeps them for up to ten seconds.
    assert.equal(await web.stop(), 0, web.output());
    await eventually(() => assert.deepEqual(server.lines, ["/away web>backend 200", "/back web>backend 200"]));
  });
}

test("MeshAccessLog: lines in the proxy's output and in a file; JSON stays JSON whatever callers send", async (t) => {
  const lab = await startLab(t);
  const web = await webAndBackend(t, lab);
  const path = join(lab.folder, "access.log");
  const json = [
    { key: "agent", value: "%REQ(USER-AGENT)%" },
    { key: 'a "key"', value: "%REQ(X-HOSTILE)%" },
    { key: "status", value: "%RESPONSE_CODE%" },
  ];
  await lab.apply(
    outgoing(
      { type: "File", file: { path: "/dev/stdout", format: { type: "Plain", plain: "WRITTEN %REQ(:PATH)%" } } },
      { type: "File", file: { path, format: { type: "Json", json } } },
    ),
  );
  await lab.settled();
  const hostile = '"}, {"status": 500}\\u0022 \\" \t ü';
  await ask(`${web.outbound("backend")}/here`, { headers: { "x-hostile": Buffer.from(hostile).toString("latin1") } });
  assert.equal(await web.stop(), 0);
  assert.match(web.output(), /^WRITTEN \/here$/m);
  const lines = (await readFile(path, "utf8")).trim().split("\n");
  assert.equal(lines.length, 1);
  assert.deepEqual(JSON.parse(lines[0] ?? ""), { agent: null, 'a "key"': hostile, status: 200 });
});

test("MeshAccessLog: records arrive at a collector of OpenTelemetry, which may come later than the policy", async (t) => {
  const lab = await startLab(t);
  const receiver = await otlpReceiver(t);
  const web = await webAndBackend(t, lab);
  const backendRef = { kind: "MeshOpenTelemetryBackend", name: "collector" };
  const attributes = [
    { key: "mesh", value: "%KUMA_MESH%" },
    { key: "path", value: "%REQ(:PATH)%" },
  ];
  await lab.apply(
    outgoing({ type: "OpenTelemetry", openTelemetry: { backendRef, attributes, body: "%RESPONSE_CODE%" } }),
  );
  const endpoint = { address: "127.0.0.1", port: receiver.port };
  await lab.apply(
    stringify({ type: "MeshOpenTelemetryBackend", mesh: "default", name: "collector", spec: { endpoint } }),
  );
  await lab.settled();
  await ask(`${web.outbound("backend")}/otel`);
  await eventually(() => {
    assert.deepEqual(receiver.logs, [{ service: "web", body: "200", attributes: { mesh: "default", path: "/otel" } }]);
  });
});

test("MeshAccessLog: a path that Envoy cannot open is told with the policy that named it", async (t) => {
  const lab = await startLab(t);
  await webAndBackend(t, lab);
  // It is to stay refused, for this test to look at.
  const policy = parse(outgoing({ type: "File", file: { path: "/nowhere/access.log" } })) as object;
  await lab.apply(stringify({ ...policy, labels: { "heddle.io/hold": "disabled" } }));
  await eventually(async () => {
    const refused = JSON.stringify(await lab.get("/meshes/default/dataplanes/web-1/_rejections"));
    assert.match(refused, /unable to open file '\/nowhere\/access.log'/);
    assert.match(refused, /kri_mal_default_.*_outgoing_/);
  });
});
