import { isIP } from "node:net";
import { duration } from "@heddle/envoy/duration.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import type { GrpcServiceSchema } from "@heddle/envoy/gen/envoy/config/core/v3/grpc_service_pb.js";
import type { HttpServiceSchema } from "@heddle/envoy/gen/envoy/config/core/v3/http_service_pb.js";
import type { CollectorConf } from "@heddle/model/collector-schema.ts";
import { type ProxyFacts, telemetryBackend } from "../proxy-facts.ts";
import type { Init } from "./common.ts";
import { systemCluster, systemName } from "./system-cluster.ts";

/** What goes to a collector, and whose it is: ends up in the name of the cluster. */
export interface Signal {
  readonly policy: "meshaccesslog" | "meshmetric" | "meshtrace";
  readonly signal: "logs" | "metrics" | "traces";
}

/** How Envoy reaches a collector: one of the two services, and the cluster that it names. */
export interface Collector {
  readonly service:
    | { readonly grpcService: Init<typeof GrpcServiceSchema> }
    | { readonly httpService: Init<typeof HttpServiceSchema> };
  readonly cluster: EncodedResource;
  /** The same for who sends messages without Envoy's own exporters. */
  readonly request: CollectorRequest;
}

/** What a request to a collector says of where it goes. */
export interface CollectorRequest {
  readonly grpc: boolean;
  readonly scheme: "http" | "https";
  readonly authority: string;
  readonly path: string;
}

/** The collector that a policy means; undefined while nobody applied the one that it refers to. */
export function collectorFor(
  conf: CollectorConf,
  proxy: ProxyFacts,
  { policy, signal }: Signal,
): Collector | undefined {
  const found = targetOf(conf, proxy, signal);
  if (found === undefined) return undefined;
  const { name, address, port, path, tls } = found;
  const clusterName = systemName(`${policy}_otel`, name);
  const cluster = systemCluster(clusterName, {
    address,
    port,
    http2: path === undefined,
    ...(tls ? { tls: { authorities: proxy.node.systemCaPath } } : {}),
  });
  const authority = `${isIP(address) === 6 ? `[${address}]` : address}:${port}`;
  const scheme = tls ? "https" : "http";
  const request = { grpc: path === undefined, scheme, authority, path: path ?? GRPC_PATHS[signal] } as const;
  if (path === undefined) {
    const grpcService = { targetSpecifier: { case: "envoyGrpc", value: { clusterName } } } as const;
    return { cluster, request, service: { grpcService } };
  }
  const httpUri = {
    uri: `${scheme}://${authority}${path}`,
    httpUpstreamType: { case: "cluster", value: clusterName },
    timeout: duration(TIMEOUT_MILLIS),
  } as const;
  return { cluster, request, service: { httpService: { httpUri } } };
}

const GRPC_PATHS = {
  logs: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
  metrics: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
  traces: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
} as const;

// What the exporters of OpenTelemetry's own SDKs wait for an answer.
const TIMEOUT_MILLIS = 10_000;
const OTLP_PORT = 4_317;

interface Target {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** With OTLP over HTTP; by gRPC there is none. */
  readonly path: string | undefined;
  readonly tls: boolean;
}

function targetOf(conf: CollectorConf, proxy: ProxyFacts, signal: Signal["signal"]): Target | undefined {
  if (conf.endpoint !== undefined) return inlineTarget(conf.endpoint, signal);
  const backend = conf.backendRef && telemetryBackend(proxy, conf.backendRef);
  if (backend === undefined) return undefined;
  const { name, spec } = backend;
  // Without an address it is on the proxy's own machine.
  const { address = "127.0.0.1", port = OTLP_PORT, path = "" } = spec.endpoint ?? {};
  if (spec.protocol !== "http") return { name, address, port, path: undefined, tls: false };
  return { name, address, port, path: `${path.replace(/\/$/, "")}/v1/${signal}`, tls: port === 443 };
}

function inlineTarget(endpoint: string, signal: Signal["signal"]): Target | undefined {
  const name = endpoint;
  if (!endpoint.includes("://")) {
    const { host, port = OTLP_PORT } = hostAndPort(endpoint) ?? {};
    return host === undefined
      ? undefined
      : { name: `${host}-${port}`, address: host, port, path: undefined, tls: false };
  }
  const url = httpUrl(endpoint);
  if (url === undefined) return undefined;
  const path = url.path === "/" ? `/v1/${signal}` : url.path;
  return { name, address: url.host, port: url.port, path, tls: url.tls };
}

/** Reads "host", "host:port" or "[::1]:port"; undefined when it is none of them. */
export function hostAndPort(text: string): { readonly host: string; readonly port: number | undefined } | undefined {
  const [, six, name, digits] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9][A-Za-z0-9._-]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = six ?? name;
  const port = digits === undefined ? undefined : Number(digits);
  if (host === undefined || (six !== undefined && isIP(six) !== 6)) return undefined;
  return port === undefined || (port > 0 && port <= 65_535) ? { host, port } : undefined;
}

/** A URL of http or https in the parts that Envoy wants; undefined when it is none, or has a user, query or fragment. */
export function httpUrl(
  text: string,
): { readonly host: string; readonly port: number; readonly path: string; readonly tls: boolean } | undefined {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:") || url.hostname === "") return undefined;
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") return undefined;
  const tls = url.protocol === "https:";
  const port = url.port === "" ? (tls ? 443 : 80) : Number(url.port);
  return port === 0 ? undefined : { host: url.hostname.replace(/^\[(.*)\]$/, "$1"), port, path: url.pathname, tls };
}
