import assert from "node:assert/strict";
import { once } from "node:events";
import { test, type TestContext } from "node:test";
import { stringify } from "yaml";
import { type Application, application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import { envoyOf } from "../support/kill-sidecar.ts";
import { type Lab, meshService, type Sidecar, startLab } from "../support/lab.ts";
import { metricsIn, type MetricPoint, otlpReceiver } from "../support/otlp-receiver.ts";
import { type Sample, startPrometheus } from "../support/prometheus.ts";
import { askAnew as ask } from "../support/traffic.ts";

/** A policy for the web proxy. */
function webMetrics(conf: object): string {
  const targetRef = { kind: "Dataplane", labels: { app: "web" } };
  return stringify({ type: "MeshMetric", mesh: "default", name: "web", spec: { targetRef, default: conf } });
}

/** A web proxy whose application has metrics of its own, and that has called a backend three times. */
async function webAndBackend(t: TestContext, lab: Lab): Promise<{ readonly web: Sidecar; readonly app: Application }> {
  await lab.apply(meshService("backend"));
  const backend = await application(t, "backend");
  await lab.sidecar({ name: "backend-1", labels: { app: "backend" }, servicePort: backend.port });
  const app = await application(t, "web", (_request, response) => void response.end(PAGE));
  const labels = { app: "web", "kuma.io/workload": "shop" };
  const web = await lab.sidecar({ name: "web-1", labels, servicePort: app.port, calls: ["backend"] });
  await eventually(async () => assert.equal((await ask(web.outbound("backend"))).status, 200));
  for (let count = 0; count < 3; count++) await ask(web.outbound("backend"));
  return { web, app };
}

const PAGE = `# HELP orders_total Orders so far.
# TYPE orders_total counter
orders_total{mesh="its own", how="by \\"hand\\", {or}\\\\"} 7
orders_total 35
no_type_at_all{} 1.5 1700000000000
# TYPE basket_size histogram
basket_size_bucket{le="1"} 2
basket_size_bucket{le="5.5"} 5
basket_size_bucket{le="+Inf"} 6
basket_size_sum 21.5
basket_size_count 6
# TYPE wait summary
wait{quantile="0.5"} 0.25
wait_sum 10
wait_count 40
# EOF
`;
const OURS = { mesh: "default", zone: "default", kuma_workload: "shop", kuma_proxy_role: "sidecar" };

function labelsOf({ labels }: Sample): Record<string, string> {
  const { __name__: _name, job: _job, instance: _instance, ...rest } = labels;
  return rest;
}

test("MeshMetric: Prometheus sees Envoy and the application with their labels; what is chosen decides", async (t) => {
  const [port = 0, secondPort = 0] = await freePorts(2);
  const targets = [{ targets: [`127.0.0.1:${port}`] }];
  // First of all, because it asks nobody for its first five seconds.
  const prometheus = await startPrometheus(t, [
    { job_name: "web", metrics_path: "/for-prometheus", static_configs: targets },
  ]);
  const lab = await startLab(t);
  const { app } = await webAndBackend(t, lab);
  const second = await application(t, "second", (_request, response) => void response.end("orders_total 1\nmore 2\n"));
  const applications = [
    { name: "shop", port: app.port },
    { name: "gone", address: "127.0.0.1", port: secondPort },
    { name: "second", address: "127.0.0.1", port: second.port },
  ];
  const backends = [{ type: "Prometheus", prometheus: { clientId: "main", port, path: "/for-prometheus" } }];
  await lab.apply(webMetrics({ applications, backends }));
  await lab.settled();
  const chosen = async (profiles: object, more: object = {}): Promise<void> => {
    await lab.apply(webMetrics({ sidecar: { profiles, ...more }, applications, backends }));
    await lab.settled();
  };
  // What the last scrape had: Prometheus marks what is gone as stale.
  const names = async (pattern: string): Promise<readonly string[]> =>
    (await prometheus.query(`count by (__name__) ({__name__=~"${pattern}"})`)).map(
      ({ labels }) => labels["__name__"] ?? "",
    );

  await t.test("Envoy's counters and the application's metrics arrive, although one application is away", async () => {
    const requests = 'envoy_cluster_upstream_rq_total{envoy_cluster_name=~".*_msvc_.*backend.*"}';
    await eventually(async () => {
      const [sample] = await prometheus.query(requests);
      assert.ok(sample !== undefined && sample.value >= 4, JSON.stringify(sample));
      const { envoy_cluster_name: _cluster, ...labels } = labelsOf(sample);
      assert.deepEqual(labels, OURS);
    });
    assert.deepEqual(
      (await prometheus.query("up")).map(({ value }) => value),
      [1],
    );
    const orders = await prometheus.query("orders_total");
    // Of the two applications that have it, the first one's stays.
    assert.deepEqual(
      orders.map((each) => [labelsOf(each), each.value]).toSorted(([, a], [, b]) => Number(a) - Number(b)),
      [
        [{ ...OURS, exported_mesh: "its own", how: 'by "hand", {or}\\' }, 7],
        [OURS, 35],
      ],
    );
    assert.deepEqual(
      (await prometheus.query("more")).map(({ value }) => value),
      [2],
    );
    assert.deepEqual(
      (await prometheus.query('basket_size_bucket{le="5.5"}')).map(({ value }) => value),
      [5],
    );
  });
  await t.test("a page says which application is away; nothing else answers at the port", async () => {
    const page = await (await fetch(`http://127.0.0.1:${port}/for-prometheus?a=b`)).text();
    assert.match(
      page,
      new RegExp(
        `^# Cannot read the metrics of application gone at 127\\.0\\.0\\.1:${secondPort}/metrics: it answered 503$`,
        "m",
      ),
    );
    assert.equal((await fetch(`http://127.0.0.1:${port}/stats`)).status, 404);
    const { status } = await fetch(`http://127.0.0.1:${port}/quitquitquit`, { method: "POST" });
    assert.equal(status, 404);
  });
  await t.test("Basic has the golden signals, and nothing of what Envoy does for the mesh itself", async () => {
    assert.deepEqual(await names("envoy_cluster_lb_.*|envoy_listener_manager.*"), []);
    assert.deepEqual(await prometheus.query('{envoy_cluster_name=~"system_.*"}'), []);
    assert.ok((await names("envoy_server_uptime|envoy_http_downstream_rq_total")).length >= 1);
  });
  await t.test("All has everything that was ever used, and with includeUnused everything", async () => {
    await chosen({ appendProfiles: [{ name: "All" }] });
    await eventually(async () => assert.ok((await names("envoy_listener_manager.*")).length > 3));
    assert.ok((await prometheus.query('{envoy_cluster_name=~"system_.*"}')).length > 10);
    const before = (await names("envoy_.*")).length;
    await chosen({ appendProfiles: [{ name: "All" }] }, { includeUnused: true });
    await eventually(async () => assert.ok((await names("envoy_.*")).length > before + 50));
  });
  await t.test("exclude takes away, and include brings back", async () => {
    await chosen({
      appendProfiles: [{ name: "Basic" }],
      exclude: [
        { type: "Prefix", match: "envoy_cluster_" },
        { type: "Regex", match: "^envoy_(server|http)_" },
      ],
      include: [
        { type: "Regex", match: "cluster_upstream_rq_(total|time)$" },
        { type: "Exact", match: "envoy_server_live" },
      ],
    });
    await eventually(async () =>
      assert.deepEqual(
        new Set(await names("envoy_(cluster|server|http)_.*")),
        new Set([
          "envoy_cluster_upstream_rq_total",
          "envoy_cluster_upstream_rq_time_bucket",
          "envoy_cluster_upstream_rq_time_sum",
          "envoy_cluster_upstream_rq_time_count",
          "envoy_server_live",
        ]),
      ),
    );
    assert.ok((await names("orders_total")).length === 1, "what is chosen of the proxy's is not about applications");
  });
  await t.test("None leaves the applications; without the policy nobody listens", async () => {
    await chosen({ appendProfiles: [{ name: "None" }] });
    await eventually(async () => assert.deepEqual(await names("envoy_.*"), []));
    assert.equal((await names("orders_total|basket_size_sum")).length, 2);
    await lab.delete("MeshMetric", "web");
    await eventually(async () =>
      assert.deepEqual(
        (await prometheus.query("up")).map(({ value }) => value),
        [0],
      ),
    );
  });
});

test("MeshMetric: metrics are pushed at the interval, by gRPC and by HTTP, also after the collector was away", async (t) => {
  const lab = await startLab(t);
  const { web, app } = await webAndBackend(t, lab);
  const collector = await otlpReceiver(t);
  const overHttp: MetricPoint[][] = [];
  const http = await application(t, "collector", (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.once("end", () => {
      assert.equal(request.headers["content-type"], "application/x-protobuf");
      if (request.url === "/in/v1/metrics") overHttp.push(metricsIn(Buffer.concat(chunks)));
      response.end();
    });
  });
  const endpoint = { address: "127.0.0.1", port: http.port, path: "/in" };
  await lab.apply(
    stringify({
      type: "MeshOpenTelemetryBackend",
      mesh: "default",
      name: "http",
      spec: { endpoint, protocol: "http" },
    }),
  );
  const backendRef = { kind: "MeshOpenTelemetryBackend", name: "http" };
  const backends = [
    { type: "OpenTelemetry", openTelemetry: { endpoint: `127.0.0.1:${collector.port}`, refreshInterval: "1s" } },
    { type: "OpenTelemetry", openTelemetry: { backendRef, refreshInterval: "1s" } },
  ];
  const began = Date.now();
  await lab.apply(webMetrics({ applications: [{ port: app.port }], backends }));
  await lab.settled();
  const ours = { mesh: "default", zone: "default", "kuma.workload": "shop", "kuma.proxy_role": "sidecar" };

  for (const [how, pushes] of [
    ["gRPC", collector.metrics],
    ["HTTP", overHttp],
  ] as const) {
    await t.test(`${how}: numbers, histograms and attributes are those of the pages`, async () => {
      await eventually(() => assert.ok(pushes.length >= 3, `${pushes.length} pushes:\n${web.output()}`), 15_000);
      const last = pushes.at(-1) ?? [];
      const one = (name: string): MetricPoint => {
        const found = last.find((each) => each.name === name);
        assert.ok(found, `no ${name} among ${[...new Set(last.map((each) => each.name))].join(" ")}`);
        return found;
      };
      const requests = last.find(
        ({ name, attributes }) =>
          name === "envoy_cluster_upstream_rq_total" && attributes["envoy_cluster_name"]?.includes("backend"),
      );
      assert.ok(requests !== undefined && requests.value >= 4 && requests.kind === "sum", JSON.stringify(requests));
      assert.deepEqual({ ...requests.attributes, envoy_cluster_name: "" }, { envoy_cluster_name: "", ...ours });
      assert.equal(requests.service, "shop");
      assert.ok(requests.time >= began - 1 && requests.time <= Date.now() + 1, `${requests.time} is not now`);
      assert.deepEqual(
        [one("orders_total").value, one("orders_total").attributes, one("orders_total").kind],
        [7, { ...ours, exported_mesh: "its own", how: 'by "hand", {or}\\' }, "sum"],
      );
      assert.deepEqual([one("no_type_at_all").value, one("no_type_at_all").kind], [1.5, "gauge"]);
      const { value, buckets, kind } = one("basket_size");
      assert.deepEqual([value, buckets, kind], [6, { bounds: [1, 5.5], counts: [2, 3, 1], sum: 21.5 }, "histogram"]);
      assert.deepEqual([one("wait").value, one("wait").attributes["quantile"]], [0.25, "0.5"]);
      assert.deepEqual([one("wait_count").value, one("wait_count").kind, one("wait_sum").value], [40, "sum", 10]);
      const time = last.find(({ name }) => name === "envoy_cluster_upstream_rq_time");
      assert.equal(
        time?.buckets?.counts.reduce((a, b) => a + b),
        time?.value,
      );
    });
  }
  await t.test("a push comes each second, not more often", async () => {
    const times = collector.metrics.map(([first]) => first?.time ?? 0);
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    assert.ok(
      gaps.every((gap) => gap > 800),
      `gaps of ${gaps.join(", ")} ms`,
    );
  });
  await t.test("a collector that was away is told of once, and gets metrics when it is back", async () => {
    http.server.closeAllConnections();
    http.server.close();
    await eventually(() => assert.match(web.output(), /Cannot send metrics to 127\.0\.0\.1:\d+: status 503/), 15_000);
    const before = overHttp.length;
    http.server.listen(http.port, "127.0.0.1");
    await once(http.server, "listening");
    await eventually(() => assert.ok(overHttp.length > before), 15_000);
    await eventually(() => assert.match(web.output(), /Metrics arrive at 127\.0\.0\.1:\d+ again/));
    assert.equal(web.output().match(/Cannot send metrics/g)?.length, 1);
  });
  await t.test("an Envoy that was killed pushes again when it is back", async () => {
    process.kill(await envoyOf(lab, "web-1"), "SIGKILL");
    const before = collector.metrics.length;
    await eventually(() => assert.ok(collector.metrics.length > before + 2, web.output()), 15_000);
  });
  assert.equal(await web.stop(), 0, web.output());
});
