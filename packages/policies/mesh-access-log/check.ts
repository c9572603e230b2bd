import { checkCollector } from "@heddle/engine/emit/check-collector.ts";
import { hostAndPort } from "@heddle/engine/emit/collector.ts";
import type { Violation } from "@heddle/model/violation.ts";
import { whyNotFormat } from "./format.ts";
import { bodyOf, isText, type OtelValue, textsOf } from "./otel-body.ts";
import type { AccessLogConf, BackendConf, FormatConf, OtelConf } from "./schema.ts";

/** What is wrong with places whose every field is right by itself. */
export function checkConf({ backends }: AccessLogConf, field: string): Violation[] {
  return backends.flatMap((backend, index) => checkBackend(backend, `${field}.backends[${index}]`));
}

const FIELDS = { Tcp: "tcp", File: "file", OpenTelemetry: "openTelemetry" } as const;

function checkBackend(backend: BackendConf, field: string): Violation[] {
  const { type, tcp, file, openTelemetry } = backend;
  const own = FIELDS[type];
  const others = Object.values(FIELDS).filter((name) => name !== own && backend[name] !== undefined);
  return [
    ...(backend[own] === undefined ? [{ field: `${field}.${own}`, message: `must be set with type ${type}` }] : []),
    ...others.map((name) => ({ field: `${field}.${name}`, message: `must not be set with type ${type}` })),
    ...(tcp === undefined ? [] : checkTcp(tcp, `${field}.tcp`)),
    ...(file === undefined ? [] : checkFile(file, `${field}.file`)),
    ...(openTelemetry === undefined ? [] : checkOtel(openTelemetry, `${field}.openTelemetry`)),
  ];
}

function checkTcp({ address, format }: NonNullable<BackendConf["tcp"]>, field: string): Violation[] {
  const wrong = hostAndPort(address)?.port === undefined;
  return [
    ...(wrong ? [{ field: `${field}.address`, message: 'must be host:port, such as "logs.example.com:5000"' }] : []),
    ...checkFormat(format, `${field}.format`),
  ];
}

function checkFile({ path, format }: NonNullable<BackendConf["file"]>, field: string): Violation[] {
  const isPath = path.startsWith("/") && !path.endsWith("/") && !/\p{Cc}/u.test(path);
  return [
    ...(isPath ? [] : [{ field: `${field}.path`, message: 'must be an absolute path, such as "/var/log/access.log"' }]),
    ...checkFormat(format, `${field}.format`),
  ];
}

function checkFormat(format: FormatConf | undefined, field: string): Violation[] {
  if (format === undefined) return [];
  const { type, plain, json } = format;
  const [own, other] = type === "Plain" ? (["plain", "json"] as const) : (["json", "plain"] as const);
  return [
    ...(format[own] === undefined ? [{ field: `${field}.${own}`, message: `must be set with type ${type}` }] : []),
    ...(format[other] === undefined
      ? []
      : [{ field: `${field}.${other}`, message: `must not be set with type ${type}` }]),
    ...checkText(plain, `${field}.plain`),
    ...checkPairs(json ?? [], `${field}.json`),
  ];
}

function checkOtel(conf: OtelConf, field: string): Violation[] {
  const { attributes = [], body } = conf;
  return [
    ...checkCollector(conf, field),
    ...checkPairs(attributes, `${field}.attributes`),
    ...(body === undefined ? [] : checkBody(bodyOf(body), `${field}.body`)),
  ];
}

function checkBody(body: OtelValue, field: string): Violation[] {
  const message = "must have nothing but stringValue, arrayValue and kvlistValue: Envoy sends no other values";
  return [...(isText(body) ? [] : [{ field, message }]), ...textsOf(body).flatMap((text) => checkText(text, field))];
}

function checkPairs(pairs: readonly { readonly key: string; readonly value: string }[], field: string): Violation[] {
  const keys = pairs.map(({ key }) => key);
  return pairs.flatMap(({ key, value }, index) => [
    ...(keys.indexOf(key) < index
      ? [{ field: `${field}[${index}].key`, message: `must be unique: "${key}" is there already` }]
      : []),
    ...checkText(value, `${field}[${index}].value`),
  ]);
}

function checkText(text: string | undefined, field: string): Violation[] {
  const message = text === undefined ? undefined : whyNotFormat(text);
  return message === undefined ? [] : [{ field, message }];
}
