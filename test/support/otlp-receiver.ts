import { createServer, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { once } from "node:events";
import { fromBinary } from "@bufbuild/protobuf";
import { ExportLogsServiceRequestSchema } from "@heddle/envoy/gen/opentelemetry/proto/collector/logs/v1/logs_service_pb.js";
import { ExportMetricsServiceRequestSchema } from "@heddle/envoy/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.js";
import { ExportTraceServiceRequestSchema } from "@heddle/envoy/gen/opentelemetry/proto/collector/trace/v1/trace_service_pb.js";
import type { AnyValue, KeyValue } from "@heddle/envoy/gen/opentelemetry/proto/common/v1/common_pb.js";
import type { Metric } from "@heddle/envoy/gen/opentelemetry/proto/metrics/v1/metrics_pb.js";
import type { Ending } from "./lab.ts";

/** A log record as a test looks at it. */
export interface LogRecord {
  readonly service: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** A span as a test looks at it. IDs are hexadecimal; `parent` is empty for the first one. */
export interface Span {
  readonly service: string;
  readonly trace: string;
  readonly id: string;
  readonly parent: string;
  readonly kind: number;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** A metric as a test looks at it: a number, or how often what a histogram counts happened. */
export interface MetricPoint {
  readonly service: string;
  readonly scope: string;
  readonly name: string;
  readonly kind: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly value: number;
  /** Of a histogram. */
  readonly buckets?: { readonly bounds: readonly number[]; readonly counts: readonly number[]; readonly sum: number };
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** A collector that keeps what it gets. */
export interface OtlpReceiver {
  readonly port: number;
  readonly logs: readonly LogRecord[];
  readonly spans: readonly Span[];
  /** One item for each message. */
  readonly metrics: readonly (readonly MetricPoint[])[];
}

/** Starts a collector that speaks OTLP over gRPC; ends with the test. */
export async function otlpReceiver(t: Ending): Promise<OtlpReceiver> {
  const logs: LogRecord[] = [];
  const spans: Span[] = [];
  const metrics: MetricPoint[][] = [];
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on("session", (session) => sessions.add(session));
  server.on("stream", (stream: ServerHttp2Stream, { ":path": path = "" }: IncomingHttpHeaders) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.once("end", () => {
      for (const message of messagesIn(Buffer.concat(chunks))) {
        if (path.includes("LogsService")) logs.push(...logsIn(message));
        else if (path.includes("MetricsService")) metrics.push(metricsIn(message));
        else spans.push(...spansIn(message));
      }
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      // An empty answer: five bytes of frame, nothing in it.
      stream.end(Buffer.alloc(5));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return { port: (server.address() as { readonly port: number }).port, logs, spans, metrics };
}

function* messagesIn(body: Buffer): Generator<Buffer> {
  for (let at = 0; at + 5 <= body.length;) {
    const length = body.readUInt32BE(at + 1);
    yield body.subarray(at + 5, at + 5 + length);
    at += 5 + length;
  }
}

function logsIn(message: Buffer): LogRecord[] {
  return fromBinary(ExportLogsServiceRequestSchema, message).resourceLogs.flatMap(
    ({ resource, instrumentationLibraryLogs }) =>
      instrumentationLibraryLogs.flatMap(({ logs }) =>
        logs.map(({ body, attributes }) => ({
          service: textsOf(resource?.attributes)["service.name"] ?? "",
          body: textOf(body),
          attributes: textsOf(attributes),
        })),
      ),
  );
}

function spansIn(message: Buffer): Span[] {
  return fromBinary(ExportTraceServiceRequestSchema, message).resourceSpans.flatMap(
    ({ resource, instrumentationLibrarySpans }) =>
      instrumentationLibrarySpans.flatMap(({ spans }) =>
        spans.map(({ traceId, spanId, parentSpanId, kind, name, attributes }) => ({
          service: textsOf(resource?.attributes)["service.name"] ?? "",
          trace: Buffer.from(traceId).toString("hex"),
          id: Buffer.from(spanId).toString("hex"),
          parent: Buffer.from(parentSpanId).toString("hex"),
          kind,
          name,
          tags: textsOf(attributes),
        })),
      ),
  );
}

/** The metrics of one message of a collector's. */
export function metricsIn(message: Buffer): MetricPoint[] {
  return fromBinary(ExportMetricsServiceRequestSchema, message).resourceMetrics.flatMap(
    ({ resource, instrumentationLibraryMetrics }) =>
      instrumentationLibraryMetrics.flatMap(({ instrumentationLibrary, metrics }) =>
        metrics.flatMap((metric) =>
          pointsIn(metric).map((point) => ({
            service: textsOf(resource?.attributes)["service.name"] ?? "",
            scope: instrumentationLibrary?.name ?? "",
            name: metric.name,
            kind: metric.data.case ?? "",
            ...point,
          })),
        ),
      ),
  );
}

function pointsIn({ data }: Metric): Pick<MetricPoint, "attributes" | "value" | "buckets" | "time">[] {
  if (data.case === "gauge" || data.case === "sum")
    return data.value.dataPoints.map(({ attributes, value, timeUnixNano }) => ({
      attributes: textsOf(attributes),
      value: value.case === "asDouble" ? value.value : Number.NaN,
      time: Number(timeUnixNano / 1_000_000n),
    }));
  if (data.case !== "histogram") return [];
  return data.value.dataPoints.map(({ attributes, count, sum, explicitBounds, bucketCounts, timeUnixNano }) => ({
    attributes: textsOf(attributes),
    value: Number(count),
    buckets: { bounds: explicitBounds, counts: bucketCounts.map(Number), sum },
    time: Number(timeUnixNano / 1_000_000n),
  }));
}

function textsOf(attributes: readonly KeyValue[] = []): Record<string, string> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, textOf(value)]));
}

function textOf(value: AnyValue | undefined): string {
  return value?.value.case === "stringValue" ? value.value.value : "";
}
