import assert from "node:assert/strict";
import { test } from "node:test";
import { stringify } from "yaml";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import { type Lab, startLab } from "../support/lab.ts";

function urlOf(lab: Lab): string {
  return `http://127.0.0.1:${lab.controlPlane.madsPort}/v3/discovery:monitoringassignments`;
}

async function ask(lab: Lab, body: object | string, timeout = "0s"): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return await fetch(`${urlOf(lab)}?fetch-timeout=${timeout}`, { method: "POST", body: text });
}

async function answerOf(response: Promise<Response>): Promise<Answer> {
  return (await (await response).json()) as Answer;
}

function metrics(name: string, prometheus: object, targetRef: object = { kind: "Mesh" }): string {
  const spec = { targetRef, default: { backends: [{ type: "Prometheus", prometheus }] } };
  return stringify({ type: "MeshMetric", mesh: "default", name, spec });
}

// Debian's Prometheus is built without kuma_sd_configs, so these tests say what that sends.
test("monitoring assignments lead to every proxy's page, also of proxies that come later, and forget those that go", async (t) => {
  const [port = 0] = await freePorts(1);
  const lab = await startLab(t);
  await lab.sidecar({ name: "web-1", labels: { "kuma.io/workload": "web" } });
  await lab.apply(metrics("all", { port, path: "/here" }));
  await lab.settled();
  const pages = async (): Promise<readonly string[]> => {
    const { resources } = await answerOf(ask(lab, { node: { id: "anybody" } }));
    return await Promise.all(
      resources.flatMap(({ service, targets }) =>
        targets.map(async ({ name, scheme, address, metrics_path }) => {
          const page = await (await fetch(`${scheme}://${address}${metrics_path}`)).text();
          return `${name} ${service} ${/^envoy_server_live\{.*\} 1$/m.test(page)}`;
        }),
      ),
    );
  };
  await eventually(async () => assert.deepEqual(await pages(), ["web-1 web true"]));
  // At the same port, so at another address.
  const late = await lab.sidecar({ name: "late-1", address: "127.0.0.2" });
  await eventually(async () => assert.deepEqual(await pages(), ["late-1 late-1 true", "web-1 web true"]));
  assert.equal(await late.stop(), 0, late.output());
  await eventually(async () => assert.deepEqual(await pages(), ["web-1 web true"]));
});

test("monitoring assignments are Kuma's: by client, with a version, waiting for news", async (t) => {
  const lab = await startLab(t);
  const [port = 0, other = 0] = await freePorts(2);
  await lab.sidecar({ name: "web-1", labels: { app: "web" } });
  await lab.apply(metrics("all", { port }));
  await lab.settled();
  const first = await answerOf(ask(lab, { node: { id: "anybody" } }));
  assert.deepEqual(first.resources, [assignment({ scheme: "http", address: `127.0.0.1:${port}` })]);
  assert.equal(first.type_url, "type.googleapis.com/kuma.observability.v1.MonitoringAssignment");

  await t.test("who has the newest version is told so, at once or when its time is over", async () => {
    const known = { version_info: first.version_info, response_nonce: first.nonce, node: { id: "anybody" } };
    assert.equal((await ask(lab, known)).status, 304);
    const began = performance.now();
    assert.equal((await ask(lab, known, "300ms")).status, 304);
    assert.ok(performance.now() - began >= 290);
  });
  await t.test("who waits is told of a change, and a client of its own gets what is its own", async () => {
    const waiting = ask(lab, { versionInfo: first.version_info, node: { id: "team-a" } }, "10s");
    const own = { clientId: "team-a", port: other, tls: { mode: "ActiveMTLSBackend" } };
    await lab.apply(metrics("web", own, { kind: "Dataplane", labels: { app: "web" } }));
    const news = await answerOf(waiting);
    assert.deepEqual(news.resources, [assignment({ scheme: "https", address: `127.0.0.1:${other}` })]);
    const rest = await answerOf(ask(lab, { node: { id: "anybody" } }));
    assert.deepEqual(rest.resources, []);
  });
  await t.test("what is no such request is refused with the reason", async () => {
    assert.equal((await ask(lab, "{")).status, 400);
    assert.match(await (await ask(lab, {}, "soon")).text(), /fetch-timeout/);
    assert.equal((await fetch(urlOf(lab))).status, 405);
    assert.equal((await fetch(new URL("/", urlOf(lab)))).status, 404);
  });
});

interface Assignment {
  readonly service: string;
  readonly targets: readonly {
    readonly name: string;
    readonly scheme: string;
    readonly address: string;
    readonly metrics_path: string;
  }[];
}

interface Answer {
  readonly version_info: string;
  readonly nonce: string;
  readonly type_url: string;
  readonly resources: readonly Assignment[];
}

function assignment(target: { readonly scheme: string; readonly address: string }): object {
  return {
    "@type": "type.googleapis.com/kuma.observability.v1.MonitoringAssignment",
    mesh: "default",
    service: "web-1",
    targets: [{ name: "web-1", ...target, metrics_path: "/metrics", labels: {} }],
    labels: {},
  };
}
