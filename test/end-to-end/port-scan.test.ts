/** Every port and socket of what Heddle starts is in the table of docs/security.md, and gives no secret to strangers. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect as connectHttp2 } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, after, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { FakeProxy } from "@heddle/xds/fake.ts";
import { stringify } from "yaml";
import { application } from "../support/application.ts";
import { ControlPlaneProcess } from "../support/control-plane-process.ts";
import { freePorts } from "../support/free-ports.ts";
import { ALLOW_ALL, Mesh, meshService, mtls, type Sidecar } from "../support/lab.ts";
import { listenersOf } from "../support/listening.ts";

const FROM_ELSEWHERE = { "x-forwarded-for": "203.0.113.7" };
const SECRET = "canary-6d1f0c5e";

const ends: (() => unknown)[] = [];
const ending = { after: (end: () => unknown): void => void ends.push(end) };

interface Scanned {
  readonly controlPlane: ControlPlaneProcess;
  readonly mesh: Mesh;
  readonly web: Sidecar;
  readonly ports: Readonly<Record<string, number>>;
  readonly ca: string;
}
let scanned: Scanned;

before(async () => {
  const folder = await mkdtemp(join(tmpdir(), "port-scan-"));
  const [api = 0, dp = 0, diagnostics = 0, https = 0, rateLimit = 0, mads = 0, metric = 0] = await freePorts(7);
  const controlPlane = new ControlPlaneProcess(folder, [api, dp, diagnostics], {
    KUMA_API_SERVER_HTTPS_ENABLED: "true",
    KUMA_API_SERVER_HTTPS_PORT: String(https),
    KUMA_RATE_LIMIT_PORT: String(rateLimit),
    KUMA_MONITORING_ASSIGNMENT_SERVER_PORT: String(mads),
  });
  ending.after(async () => {
    await controlPlane.kill();
    await rm(folder, { recursive: true, force: true });
  });
  await controlPlane.start();
  const ca = await controlPlane.caPem();
  const mesh = new Mesh(ending, { apiUrl: controlPlane.apiUrl, dpPort: dp, caPem: ca }, folder);
  await mesh.apply(mtls());
  await mesh.apply(ALLOW_ALL);
  await mesh.apply(meshService("web"));
  await mesh.apply(stringify({ type: "Secret", mesh: "default", name: "mine", data: btoa(SECRET) }));
  await mesh.apply(stringify({ type: "GlobalSecret", name: "mine", data: btoa(SECRET) }));
  const backends = [{ type: "Prometheus", prometheus: { port: metric, path: "/metrics" } }];
  await mesh.apply(stringify({ type: "MeshMetric", mesh: "default", name: "all", spec: { default: { backends } } }));
  const { port: servicePort } = await application(ending, "web");
  const web = await mesh.sidecar({ name: "web", labels: { app: "web" }, servicePort, calls: ["web"] });
  scanned = { controlPlane, mesh, web, ca, ports: { api, dp, diagnostics, https, rateLimit, mads, metric } };
});

after(async () => {
  for (const end of ends.toReversed()) await end();
});

/** What the rows of the table begin with, by the name that the scan gives to what it finds. */
const ROWS = {
  api: "5681, on 127.0.0.1",
  https: "5681 / 5682",
  dp: "5678 (TLS)",
  rateLimit: "5684 (TLS)",
  diagnostics: "5680, on 127.0.0.1",
  mads: "5676, on 127.0.0.1",
  inbound: "inbounds of proxies",
  outbound: "outbounds of proxies",
  inspect: "inspect port of a proxy",
  metric: "port of a MeshMetric",
  admin: "Envoy's admin interface",
  opa: "socket of a MeshOPA's agent",
} as const;
type Row = keyof typeof ROWS;

/** Only these may be reached from other machines. */
const FROM_OUTSIDE: ReadonlySet<Row> = new Set(["https", "dp", "rateLimit", "inbound", "inspect", "metric"]);

/** The row of the table that a listener belongs to; undefined when nobody said that it is there. */
function rowOf(listener: string, inspectPort: number): Row | undefined {
  if (listener.startsWith("/")) return listener.endsWith("/kuma-envoy-admin.sock") ? "admin" : undefined;
  const port = Number(/:(\d+)$/.exec(listener)?.[1]);
  const own = Object.entries(scanned.ports).find(([, each]) => each === port)?.[0];
  if (own !== undefined) return own as Row;
  if (port === scanned.web.inboundPort) return "inbound";
  if (port === inspectPort) return "inspect";
  return port === Number(new URL(scanned.web.outbound("web")).port) ? "outbound" : undefined;
}

async function inspectPortOf(): Promise<number> {
  const overview = (await scanned.mesh.get("/meshes/default/dataplanes/web/_overview")) as {
    readonly dataplaneInsight: { readonly metadata: Readonly<Record<string, string>> };
  };
  return Number(overview.dataplaneInsight.metadata["dataplane.inspect.port"]);
}

test("every port and socket of a control plane and a sidecar is in the table, and no row of it is unknown here", async () => {
  const inspectPort = await inspectPortOf();
  const pids = [scanned.controlPlane.pid, scanned.web.process.pid ?? 0];
  const found = (await Promise.all(pids.map(listenersOf))).flat();
  const seen = new Set<Row>();
  for (const listener of found) {
    const row = rowOf(listener, inspectPort);
    assert.ok(row !== undefined, `${listener} is in no table; all that listens: ${found.join(", ")}`);
    seen.add(row);
    const isLocal = listener.startsWith("/") || listener.startsWith("127.") || listener.startsWith("[::1]");
    assert.ok(isLocal || FROM_OUTSIDE.has(row), `${listener} (${ROWS[row]}) can be reached from other machines`);
  }
  const expected = Object.keys(ROWS).filter((row) => row !== "opa");
  assert.deepEqual([...seen].toSorted(), expected.toSorted(), `found: ${found.join(", ")}`);
  const text = await readFile(join(import.meta.dirname, "../../docs/security.md"), "utf8");
  const section = text.slice(text.indexOf("## Ports"), text.indexOf("\n## ", text.indexOf("## Ports") + 1));
  const rows = section.split("\n").filter((line) => /^\| (?!port \| what|---)/.test(line));
  for (const start of Object.values(ROWS))
    assert.ok(
      rows.some((line) => line.startsWith(`| ${start}`)),
      `no row of the table begins with "${start}"`,
    );
  for (const line of rows)
    assert.ok(
      Object.values(ROWS).some((start) => line.startsWith(`| ${start}`)),
      `not looked for here: ${line}`,
    );
});

async function forbidden(): Promise<readonly RegExp[]> {
  const token = await readFile(join(scanned.mesh.folder, "web.token"), "utf8");
  const secrets = [SECRET, btoa(SECRET).replace(/=+$/, ""), token.trim(), token.trim().split(".")[2] ?? ""];
  return [
    ...secrets.map((text) => new RegExp(RegExp.escape(text))),
    /PRIVATE KEY/,
    /eyJ[\w-]{20,}\.eyJ/,
    /LS0tLS1CRUdJTi[A-Z]\w* UFJJV/,
  ];
}

test("no path of the REST API gives a secret to a caller without credential, and secrets are refused", async () => {
  const { paths } = (await scanned.mesh.get("/openapi.json")) as {
    readonly paths: Record<string, Record<string, unknown>>;
  };
  const found = Object.entries(paths).filter(([, methods]) => "get" in methods);
  assert.ok(found.length > 50, `${found.length} paths`);
  const bad = await forbidden();
  const answers = new Map<number, number>();
  for (const [path] of found) {
    const concrete = path
      .replaceAll("{mesh}", "default")
      .replace(/\{name\}/, /secret/.test(path) ? "mine" : "web")
      .replaceAll(/\{\w+\}/g, "web");
    // Long polls would wait for news.
    if (concrete.startsWith("/rollouts")) continue;
    const response = await fetch(`${scanned.mesh.at.apiUrl}${concrete}`, { headers: FROM_ELSEWHERE });
    const body = await response.text();
    answers.set(response.status, (answers.get(response.status) ?? 0) + 1);
    for (const pattern of bad) assert.doesNotMatch(body, pattern, `GET ${concrete}`);
    if (/secrets/.test(path)) assert.equal(response.status, 403, `GET ${concrete}: ${body.slice(0, 200)}`);
    assert.ok(
      response.status < 500 || response.status === 503,
      `GET ${concrete}: ${response.status} ${body.slice(0, 300)}`,
    );
  }
  assert.ok((answers.get(200) ?? 0) > 20, JSON.stringify([...answers]));
});

test("the data plane server gives nothing without a token: no stream, no bootstrap, no other path", async () => {
  const { ca, ports } = scanned;
  const url = `https://localhost:${ports["dp"]}`;
  const node = { id: "default.web", cluster: "web" };
  for (const token of [undefined, "e30.e30.e30"]) {
    const at = { port: ports["dp"] ?? 0, ca, node };
    await using thief = new FakeProxy(token === undefined ? at : { ...at, token });
    await thief.connect().catch(() => undefined);
    assert.match((await thief.ended).code, /unauthenticated|permission_denied/);
    assert.equal(thief.counts.resources, 0);
  }
  const session = connectHttp2(url, { ca });
  const ask = async (method: string, path: string, body?: object): Promise<{ status: number; text: string }> => {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
    const stream = session.request({ ":method": method, ":path": path, "content-type": "application/json" });
    let [status, text] = [0, ""];
    stream.setEncoding("utf8").on("response", (headers) => (status = Number(headers[":status"])));
    stream
      .on("data", (part: string) => (text += part))
      .on("end", () => resolve({ status, text }))
      .on("error", reject);
    stream.end(body === undefined ? undefined : JSON.stringify(body));
    return await promise;
  };
  try {
    for (const dataplaneToken of ["", "e30.e30.e30"]) {
      const refused = await ask("POST", "/bootstrap", { mesh: "default", name: "web", dataplaneToken });
      assert.equal(refused.status, 422, refused.text);
      assert.doesNotMatch(refused.text, /staticResources|BEGIN/);
    }
    assert.ok([400, 401, 403].includes((await ask("POST", "/drain", { mesh: "default", name: "web" })).status));
    for (const path of ["/", "/config_dump", "/debug", "/metrics", "/config", "/meshes"])
      assert.equal((await ask("GET", path)).status, 404, path);
  } finally {
    session.destroy();
  }
});

test("the ports that ask for a certificate speak to nobody without one", async () => {
  const asking = {
    rateLimit: scanned.ports["rateLimit"],
    inspect: await inspectPortOf(),
    inbound: scanned.web.inboundPort,
  };
  for (const [name, port] of Object.entries(asking)) {
    const { promise, resolve } = Promise.withResolvers<string>();
    const socket = connectTls({
      port: port ?? 0,
      host: "127.0.0.1",
      rejectUnauthorized: false,
      ALPNProtocols: ["h2", "http/1.1"],
    });
    let got = "";
    socket.on("secureConnect", () => socket.write("GET /config_dump HTTP/1.1\r\nhost: x\r\n\r\n"));
    socket.setEncoding("utf8").on("data", (part: string) => (got += part));
    socket.on("error", () => undefined).on("close", () => resolve(got));
    assert.doesNotMatch(await promise, /HTTP\/1|configs/, name);
  }
});

test("metrics and lists of proxies hold no secret", async () => {
  const { ports } = scanned;
  const body = JSON.stringify({ node: { id: "prometheus" } });
  const init = { method: "POST", body, headers: { "content-type": "application/json" } };
  const answers = [
    await fetch(`http://127.0.0.1:${ports["diagnostics"]}/metrics`),
    await fetch(`http://127.0.0.1:${ports["mads"]}/v3/discovery:monitoringassignments?fetch-timeout=0s`, init),
    await fetch(`http://127.0.0.1:${ports["metric"]}/metrics`),
  ];
  const bad = await forbidden();
  for (const answer of answers) {
    const text = await answer.text();
    assert.equal(answer.status, 200, `${answer.url}: ${text.slice(0, 200)}`);
    for (const pattern of bad) assert.doesNotMatch(text, pattern, answer.url);
  }
  for (const path of ["/config", "/debug/pprof", "/config_dump"]) {
    assert.equal((await fetch(`http://127.0.0.1:${ports["diagnostics"]}${path}`)).status, 404);
    assert.equal((await fetch(`http://127.0.0.1:${ports["metric"]}${path}`)).status, 404);
  }
});
