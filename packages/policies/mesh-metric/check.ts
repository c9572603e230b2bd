import { checkCollector } from "@heddle/engine/emit/check-collector.ts";
import { hostAndPort } from "@heddle/engine/emit/collector.ts";
import { toMillis } from "@heddle/model/duration.ts";
import { whyNotRe2 } from "@heddle/model/regular-expression.ts";
import type { Violation } from "@heddle/model/violation.ts";
import { automatonOf, MAX_STATES } from "./automaton.ts";
import type {
  ApplicationConf,
  BackendConf,
  MetricConf,
  OpenTelemetryConf,
  PrometheusConf,
  SelectorConf,
} from "./schema.ts";

/** What is wrong with a conf whose every field is right by itself. */
export function checkConf({ sidecar, applications = [], backends = [] }: MetricConf, field: string): Violation[] {
  const { exclude = [], include = [] } = sidecar?.profiles ?? {};
  const profiles = `${field}.sidecar.profiles`;
  return [
    ...exclude.flatMap((selector, index) => checkSelector(selector, `${profiles}.exclude[${index}]`)),
    ...include.flatMap((selector, index) => checkSelector(selector, `${profiles}.include[${index}]`)),
    ...applications.flatMap((application, index) => checkApplication(application, `${field}.applications[${index}]`)),
    ...backends.flatMap((backend, index) => checkBackend(backend, `${field}.backends[${index}]`)),
    ...checkPorts(backends, `${field}.backends`),
    ...checkClients(backends, `${field}.backends`),
  ];
}

function checkSelector({ type, match }: SelectorConf, field: string): Violation[] {
  if (type !== "Regex") return [];
  const reason = whyNotRe2(match) ?? whyNoAutomaton(match);
  return reason === undefined ? [] : [{ field: `${field}.match`, message: reason }];
}

function whyNoAutomaton(pattern: string): string | undefined {
  const made = automatonOf(pattern);
  switch (made) {
    case "invalid":
      return "must be a regular expression in RE2's syntax";
    case "too large":
      return `must be simpler: telling names apart by it takes more than ${MAX_STATES} states`;
    default:
      return undefined;
  }
}

function checkApplication({ path, address }: ApplicationConf, field: string): Violation[] {
  const isHost = address === undefined || hostAndPort(address.includes(":") ? `[${address}]` : address) !== undefined;
  return [
    ...checkPath(path, `${field}.path`),
    ...(isHost ? [] : [{ field: `${field}.address`, message: "must be an IP address or a host name" }]),
  ];
}

function checkPath(path: string | undefined, field: string): Violation[] {
  if (path === undefined || /^\/[!-"$-~]*$/.test(path)) return [];
  return [{ field, message: 'must be a path such as "/metrics"' }];
}

const FIELDS = { Prometheus: "prometheus", OpenTelemetry: "openTelemetry" } as const;

function checkBackend(backend: BackendConf, field: string): Violation[] {
  const { type, prometheus, openTelemetry } = backend;
  const own = FIELDS[type];
  const others = Object.values(FIELDS).filter((name) => name !== own && backend[name] !== undefined);
  return [
    ...(backend[own] === undefined ? [{ field: `${field}.${own}`, message: `must be set with type ${type}` }] : []),
    ...others.map((name) => ({ field: `${field}.${name}`, message: `must not be set with type ${type}` })),
    ...(prometheus === undefined ? [] : checkPrometheus(prometheus, `${field}.prometheus`)),
    ...(openTelemetry === undefined ? [] : checkOpenTelemetry(openTelemetry, `${field}.openTelemetry`)),
  ];
}

function checkPrometheus({ path = "/" }: PrometheusConf, field: string): Violation[] {
  if (path.includes("?")) return [{ field: `${field}.path`, message: "must be without a query" }];
  return checkPath(path, `${field}.path`);
}

const SHORTEST_MILLIS = 1_000;

function checkOpenTelemetry(conf: OpenTelemetryConf, field: string): Violation[] {
  const { refreshInterval } = conf;
  const hasty = refreshInterval !== undefined && toMillis(refreshInterval) < SHORTEST_MILLIS;
  return [
    ...checkCollector(conf, field),
    ...(hasty ? [{ field: `${field}.refreshInterval`, message: "must be at least 1s" }] : []),
  ];
}

/** Envoy refuses a second listener at one port, and with it all that came at the same time. */
function checkPorts(backends: readonly BackendConf[], field: string): Violation[] {
  return repeated(backends, ({ prometheus }) => prometheus && (prometheus.port ?? 5_670)).map((index) => ({
    field: `${field}[${index}].prometheus.port`,
    message: "must be unique: another backend has this port",
  }));
}

function checkClients(backends: readonly BackendConf[], field: string): Violation[] {
  return repeated(backends, ({ prometheus }) => prometheus && (prometheus.clientId ?? "")).map((index) => ({
    field: `${field}[${index}].prometheus.clientId`,
    message: "must be unique: it tells backends of type Prometheus apart",
  }));
}

function repeated(
  backends: readonly BackendConf[],
  keyOf: (backend: BackendConf) => string | number | undefined,
): number[] {
  const keys = backends.map(keyOf);
  return keys.flatMap((key, index) => (key !== undefined && keys.indexOf(key) < index ? [index] : []));
}
