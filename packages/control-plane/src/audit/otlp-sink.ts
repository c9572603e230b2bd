import type { Sink } from "./queue.ts";

const PATIENCE = 5_000;

/** Log records in OTLP over HTTP as JSON (https://opentelemetry.io/docs/specs/otlp/#otlphttp): the record is the body. */
export function otlpSink(endpoint: string, instance: string): Sink {
  const url = `${endpoint.replace(/\/+$/, "")}/v1/logs`;
  return {
    name: endpoint,
    write: async (lines) => {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(logsOf(lines, instance)),
        signal: AbortSignal.timeout(PATIENCE),
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`the collector answers ${response.status}`);
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

function logsOf(lines: readonly string[], instance: string): unknown {
  const logRecords = lines.map((line) => ({
    timeUnixNano: `${Date.parse((JSON.parse(line) as { time: string }).time)}000000`,
    severityNumber: 9,
    severityText: "INFO",
    body: { stringValue: line },
    attributes: [attribute("event.name", "heddle.audit")],
  }));
  const attributes = [attribute("service.name", "heddle-control-plane"), attribute("service.instance.id", instance)];
  return { resourceLogs: [{ resource: { attributes }, scopeLogs: [{ scope: { name: "heddle.audit" }, logRecords }] }] };
}

function attribute(key: string, value: string): unknown {
  return { key, value: { stringValue: value } };
}
