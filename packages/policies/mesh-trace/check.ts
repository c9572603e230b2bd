import { checkCollector } from "@heddle/engine/emit/check-collector.ts";
import { httpUrl } from "@heddle/engine/emit/collector.ts";
import type { Violation } from "@heddle/model/violation.ts";
import type { BackendConf, DatadogConf, TraceConf, ZipkinConf } from "./schema.ts";

/** What is wrong with a conf whose every field is right by itself. */
export function checkConf({ backends, tags = [] }: TraceConf, field: string): Violation[] {
  return [
    ...(backends.length > 1
      ? [{ field: `${field}.backends`, message: "must have at most one: Envoy takes no more" }]
      : []),
    ...backends.flatMap((backend, index) => checkBackend(backend, `${field}.backends[${index}]`)),
    ...tags.flatMap((tag, index) => checkTag(tag, `${field}.tags[${index}]`)),
  ];
}

const FIELDS = { Zipkin: "zipkin", Datadog: "datadog", OpenTelemetry: "openTelemetry" } as const;

function checkBackend(backend: BackendConf, field: string): Violation[] {
  const { type, zipkin, datadog, openTelemetry } = backend;
  const own = FIELDS[type];
  const others = Object.values(FIELDS).filter((name) => name !== own && backend[name] !== undefined);
  return [
    ...(backend[own] === undefined ? [{ field: `${field}.${own}`, message: `must be set with type ${type}` }] : []),
    ...others.map((name) => ({ field: `${field}.${name}`, message: `must not be set with type ${type}` })),
    ...(zipkin === undefined ? [] : checkZipkin(zipkin, `${field}.zipkin`)),
    ...(datadog === undefined ? [] : checkDatadog(datadog, `${field}.datadog`)),
    ...(openTelemetry === undefined ? [] : checkCollector(openTelemetry, `${field}.openTelemetry`)),
  ];
}

function checkZipkin({ url }: ZipkinConf, field: string): Violation[] {
  if (httpUrl(url) !== undefined) return [];
  return [{ field: `${field}.url`, message: 'must be a URL such as "http://jaeger-collector:9411/api/v2/spans"' }];
}

function checkDatadog({ url }: DatadogConf, field: string): Violation[] {
  const read = httpUrl(url);
  if (read !== undefined && !read.tls && read.path === "/" && /:\d+\/?$/.test(url)) return [];
  return [{ field: `${field}.url`, message: 'must be http, a host and a port only, such as "http://127.0.0.1:8126"' }];
}

function checkTag({ literal, header }: NonNullable<TraceConf["tags"]>[number], field: string): Violation[] {
  if ((literal === undefined) === (header === undefined))
    return [{ field, message: "must have either literal or header" }];
  if (header === undefined || /^:?[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(header.name)) return [];
  return [{ field: `${field}.header.name`, message: "must be a header's name" }];
}
