import { collectorFor } from "@heddle/engine/emit/collector.ts";
import type { Init } from "@heddle/engine/emit/common.ts";
import type { AccessLog, Change } from "@heddle/engine/plan/plan.ts";
import { type ProxyFacts, serviceOf } from "@heddle/engine/proxy-facts.ts";
import { any } from "@heddle/envoy/any.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import type { SubstitutionFormatStringSchema } from "@heddle/envoy/gen/envoy/config/core/v3/substitution_format_string_pb.js";
import { FileAccessLogSchema } from "@heddle/envoy/gen/envoy/extensions/access_loggers/file/v3/file_pb.js";
import { OpenTelemetryAccessLogConfigSchema } from "@heddle/envoy/gen/envoy/extensions/access_loggers/open_telemetry/v3/logs_service_pb.js";
import {
  StderrAccessLogSchema,
  StdoutAccessLogSchema,
} from "@heddle/envoy/gen/envoy/extensions/access_loggers/stream/v3/stream_pb.js";
import { type KumaValues, withKumaValues } from "./format.ts";
import { bodyOf, textValue, withTexts } from "./otel-body.ts";
import type { BackendConf, FormatConf, OtelConf } from "./schema.ts";

/** What lines are made of at one place of a proxy. */
export interface Place {
  readonly proxy: ProxyFacts;
  readonly values: KumaValues;
  readonly isHttp: boolean;
}

/** The access logs for these backends, with the clusters they go to. */
export function logsFor(
  backends: readonly BackendConf[],
  place: Place,
): Required<Pick<Change, "accessLogs" | "resources">> {
  const made = backends.flatMap((backend) => logFor(backend, place) ?? []);
  return {
    accessLogs: made.map(({ log }) => log),
    resources: made.flatMap(({ resource }) => resource ?? []),
  };
}

interface Made {
  readonly log: AccessLog;
  readonly resource?: EncodedResource | undefined;
}

function logFor({ file, tcp, openTelemetry }: BackendConf, place: Place): Made | undefined {
  if (file !== undefined) return { log: fileLog(file.path, formatString(file.format, place)) };
  if (openTelemetry !== undefined) return otelLog(openTelemetry, place);
  // Envoy cannot send lines over TCP: they go into a pipe, and a process beside Envoy sends them on.
  const pipe = place.proxy.node.accessLogPipe;
  return tcp === undefined || pipe === undefined ? undefined : { log: fileLog(pipe, wrapped(tcp, place)) };
}

function fileLog(path: string, format: Format): AccessLog {
  const accessLogFormat = { case: "logFormat", value: format } as const;
  // Opened by its path it could not be a socket, as a service of systemd has it; these two write to what is open already.
  if (path === "/dev/stdout") {
    return { name: "envoy.access_loggers.stdout", config: any(StdoutAccessLogSchema, { accessLogFormat }) };
  }
  if (path === "/dev/stderr") {
    return { name: "envoy.access_loggers.stderr", config: any(StderrAccessLogSchema, { accessLogFormat }) };
  }
  return { name: "envoy.access_loggers.file", config: any(FileAccessLogSchema, { path, accessLogFormat }) };
}

type Format = Init<typeof SubstitutionFormatStringSchema>;

function formatString(format: FormatConf | undefined, place: Place): Format {
  const omitEmptyValues = format?.omitEmptyValues ?? false;
  if (format?.json !== undefined) {
    return { format: { case: "jsonFormat", value: fieldsOf(format.json, place) }, omitEmptyValues };
  }
  const source = { specifier: { case: "inlineString", value: line(format?.plain, place) } } as const;
  return { format: { case: "textFormatSource", value: source }, omitEmptyValues };
}

/** What Kuma's data plane reads from its pipe, and ours too: where a line goes, and the line. */
function wrapped({ address, format }: NonNullable<BackendConf["tcp"]>, place: Place): Format {
  const message = format?.json === undefined ? line(format?.plain, place) : fieldsOf(format.json, place);
  const value = { address: address.replaceAll("%", "%%"), message };
  return { format: { case: "jsonFormat", value }, omitEmptyValues: format?.omitEmptyValues ?? false };
}

function fieldsOf(json: NonNullable<FormatConf["json"]>, { values }: Place): Record<string, string> {
  return Object.fromEntries(json.map(({ key, value }) => [key, withKumaValues(value, values)]));
}

function line(plain: string | undefined, { values, isHttp }: Place): string {
  const text = withKumaValues(plain ?? defaultFormat(isHttp), values);
  return text.endsWith("\n") ? text : `${text}\n`;
}

function otelLog(conf: OtelConf, place: Place): Made | undefined {
  const found = collectorFor(conf, place.proxy, { policy: "meshaccesslog", signal: "logs" });
  if (found === undefined) return undefined;
  const { values, isHttp, proxy } = place;
  const interpolate = (text: string): string => withKumaValues(text, values);
  const body = conf.body === undefined ? textValue(defaultFormat(isHttp)) : bodyOf(conf.body);
  const config = any(OpenTelemetryAccessLogConfigSchema, {
    logName: "MeshAccessLog",
    ...found.service,
    resourceAttributes: { values: [{ key: "service.name", value: textValue(serviceOf(proxy)) }] },
    body: withTexts(body, interpolate),
    attributes: {
      values: (conf.attributes ?? []).map(({ key, value }) => ({ key, value: textValue(interpolate(value)) })),
    },
  });
  return { log: { name: "envoy.access_loggers.open_telemetry", config }, resource: found.cluster };
}

// Kuma's, word for word: people have parsers for them.
// https://kuma.io/docs/latest/policies/meshaccesslog/
function defaultFormat(isHttp: boolean): string {
  return isHttp ? DEFAULT_HTTP : DEFAULT_TCP;
}

const DEFAULT_HTTP = [
  '[%START_TIME%] %KUMA_MESH% "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%"',
  "%RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
  '"%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-B3-TRACEID?X-DATADOG-TRACEID)%" "%REQ(X-REQUEST-ID)%"',
  '"%REQ(:AUTHORITY)%" "%KUMA_SOURCE_SERVICE%" "%KUMA_DESTINATION_SERVICE%" "%KUMA_SOURCE_ADDRESS_WITHOUT_PORT%"',
  '"%UPSTREAM_HOST%"',
].join(" ");
const DEFAULT_TCP = [
  "[%START_TIME%] %RESPONSE_FLAGS% %KUMA_MESH%",
  "%KUMA_SOURCE_ADDRESS_WITHOUT_PORT%(%KUMA_SOURCE_SERVICE%)->%UPSTREAM_HOST%(%KUMA_DESTINATION_SERVICE%)",
  "took %DURATION%ms, sent %BYTES_SENT% bytes, received: %BYTES_RECEIVED% bytes",
].join(" ");
