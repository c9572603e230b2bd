import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { stringify } from "yaml";
import { application } from "../support/application.ts";
import { eventually } from "../support/eventually.ts";
import { type Lab, meshService, startLab } from "../support/lab.ts";
import { otlpReceiver } from "../support/otlp-receiver.ts";
import { askAnew } from "../support/traffic.ts";

// What applications hand on, so that the spans of one request become one trace.
const HANDED_ON = /^(x-request-id|traceparent|tracestate|x-b3-.*)$/;

/** Spans in what Zipkin and OpenTelemetry have in common. */
interface Span {
  readonly service: string;
  readonly trace: string;
  readonly id: string;
  readonly parent: string;
  readonly kind: "CLIENT" | "SERVER" | "other";
  readonly tags: Readonly<Record<string, string>>;
}

function policy(conf: object): string {
  return stringify({ type: "MeshTrace", mesh: "default", name: "all", spec: { default: conf } });
}

/** front asks middle, which asks back. Gives the URL at which front's proxy takes requests. */
async function threeServices(t: TestContext, lab: Lab): Promise<string> {
  const next = new Map<string, string>();
  await lab.apply([meshService("front"), meshService("middle"), meshService("back")].join("---\n"));
  const start = async (name: string, calls: readonly string[]): Promise<number> => {
    const { port } = await application(t, name, (request, response) => {
      const headers = Object.fromEntries(
        Object.entries(request.headers).flatMap(([key, value]) => (HANDED_ON.test(key) ? [[key, String(value)]] : [])),
      );
      const url = next.get(name);
      if (url === undefined) response.end(name);
      else void askAnew(url, { headers }).then(({ body }) => response.end(`${name} ${body}`));
    });
    const labels = { app: name, "kuma.io/workload": name };
    const sidecar = await lab.sidecar({ name: `${name}-1`, labels, servicePort: port, calls });
    for (const service of calls) next.set(name, sidecar.outbound(service));
    return sidecar.inboundPort;
  };
  await start("back", []);
  await start("middle", ["back"]);
  const url = `http://127.0.0.1:${await start("front", ["middle"])}/`;
  await eventually(async () => assert.equal((await askAnew(url)).body, "front middle back"));
  return url;
}

/**
 * The newest trace in which every hop is there; every parent but the first must be known. Connections between proxies
 * outlive a change of their listeners by one request, so the first traces after it may lack hops.
 */
function wholeTree(spans: readonly Span[]): readonly Span[] {
  const traces = [...Map.groupBy(spans, ({ trace }) => trace).values()];
  const hopsOf = (trace: readonly Span[]) => trace.map(({ service, kind }) => `${service} ${kind}`).toSorted();
  const expected = ["back SERVER", "front CLIENT", "front SERVER", "middle CLIENT", "middle SERVER"];
  const whole = traces.findLast((trace) => hopsOf(trace).join() === expected.join());
  assert.ok(whole, `no trace has every hop:\n${traces.map(hopsOf).join("\n")}`);
  const ids = new Set(whole.map(({ id }) => id));
  const roots = whole.filter(({ parent }) => !ids.has(parent));
  assert.deepEqual(
    roots.map(({ service, kind, parent }) => `${service} ${kind} ${parent}`),
    ["front SERVER "],
  );
  return whole;
}

/** Sends requests until their spans are a whole tree at the collector. */
async function tracedTree(url: string, spans: () => readonly Span[], headers = {}): Promise<readonly Span[]> {
  return await eventually(async () => {
    assert.equal((await askAnew(url, { headers })).status, 200);
    return wholeTree(spans());
  }, 15_000);
}

const TAGS = [
  { name: "team", literal: "shop" },
  { name: "customer", header: { name: "x-customer", default: "guest" } },
];

test("MeshTrace: the spans of three services are one tree at a collector of OpenTelemetry; sampling 0 makes none", async (t) => {
  const lab = await startLab(t);
  const receiver = await otlpReceiver(t);
  const spans = (): readonly Span[] =>
    receiver.spans.map((span) => ({ ...span, kind: ({ 2: "SERVER", 3: "CLIENT" } as const)[span.kind] ?? "other" }));
  const url = await threeServices(t, lab);
  const backends = [{ type: "OpenTelemetry", openTelemetry: { endpoint: `127.0.0.1:${receiver.port}` } }];
  await lab.apply(policy({ backends, sampling: { overall: 0 }, tags: TAGS }));
  await lab.settled();
  for (let count = 0; count < 5; count++) await askAnew(url, { headers: { "x-customer": "nobody" } });
  await lab.apply(policy({ backends, sampling: { overall: 100, random: "100" }, tags: TAGS }));
  await lab.settled();
  const whole = await tracedTree(url, spans, { "x-customer": "anna" });
  const seen = whole.map(({ service, kind, tags }) => `${service} ${kind} ${tags["team"]} ${tags["customer"]}`);
  assert.ok(seen.includes("front SERVER shop anna"), seen.join());
  assert.ok(seen.includes("back SERVER shop guest"), seen.join());
  // Envoy sends spans in order, so those of the requests before would be here as well.
  assert.ok(!spans().some(({ tags }) => tags["customer"] === "nobody"), "a request was traced in spite of sampling 0");
});

for (const sharedSpanContext of [true, false]) {
  test(`MeshTrace: the spans of three services are one tree at Zipkin (sharedSpanContext: ${sharedSpanContext})`, async (t) => {
    const lab = await startLab(t);
    const spans: Span[] = [];
    const zipkin = await application(t, "zipkin", (request, response) => {
      void text(request).then((body) => {
        assert.equal(request.url, "/api/v2/spans");
        for (const each of JSON.parse(body) as ZipkinSpan[]) spans.push(spanOf(each));
        response.writeHead(202).end();
      });
    });
    const url = await threeServices(t, lab);
    const where = { url: `http://127.0.0.1:${zipkin.port}/api/v2/spans`, traceId128bit: true, sharedSpanContext };
    await lab.apply(policy({ backends: [{ type: "Zipkin", zipkin: where }], tags: TAGS }));
    await lab.settled();
    for (const { tags, trace } of await tracedTree(url, () => spans)) {
      assert.deepEqual([tags["team"], tags["customer"]], ["shop", "guest"]);
      assert.equal(trace.length, 32);
    }
  });
}

interface ZipkinSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly kind?: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly localEndpoint: { readonly serviceName: string };
}

function spanOf({ traceId, id, parentId = "", kind, tags, localEndpoint }: ZipkinSpan): Span {
  const known = kind === "CLIENT" || kind === "SERVER" ? kind : "other";
  return { trace: traceId, id, parent: parentId, kind: known, tags, service: localEndpoint.serviceName };
}
