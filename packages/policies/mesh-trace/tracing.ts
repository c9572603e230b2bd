import { collectorFor, httpUrl } from "@heddle/engine/emit/collector.ts";
import { systemCluster, systemName } from "@heddle/engine/emit/system-cluster.ts";
import type { Change } from "@heddle/engine/plan/plan.ts";
import type { Tracing, TracingTag } from "@heddle/engine/plan/tracing.ts";
import { type ProxyFacts, serviceOf } from "@heddle/engine/proxy-facts.ts";
import { any } from "@heddle/envoy/any.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { DatadogConfigSchema } from "@heddle/envoy/gen/envoy/config/trace/v3/datadog_pb.js";
import { OpenTelemetryConfigSchema } from "@heddle/envoy/gen/envoy/config/trace/v3/opentelemetry_pb.js";
import {
  ZipkinConfig_CollectorEndpointVersion,
  ZipkinConfigSchema,
} from "@heddle/envoy/gen/envoy/config/trace/v3/zipkin_pb.js";
import type { CollectorConf } from "@heddle/model/collector-schema.ts";
import type { BackendConf, DatadogConf, TraceConf, ZipkinConf } from "./schema.ts";

/** Whose spans are made: `suffix` follows the service's name where a backend wants services split. */
export interface Place {
  readonly proxy: ProxyFacts;
  readonly suffix: string;
}

/** What makes spans at one place, and the cluster they go to; nothing without a backend. */
export function tracingChange({ backends = [], sampling, tags = [] }: Partial<TraceConf>, place: Place): Change {
  const [backend] = backends;
  const found = backend && providerOf(backend, place);
  if (found === undefined) return {};
  const tracing: Tracing = {
    provider: found.provider,
    overallSampling: share(sampling?.overall),
    randomSampling: share(sampling?.random),
    clientSampling: share(sampling?.client),
    tags: tags.map(({ name, literal = "", header }): TracingTag =>
      header === undefined ? { tag: name, literal } : { tag: name, header: header.name, default: header.default },
    ),
  };
  return { tracing, resources: [found.cluster] };
}

function share(percent: number | string | undefined): number | undefined {
  return percent === undefined ? undefined : Number(percent);
}

interface Found {
  readonly provider: Tracing["provider"];
  readonly cluster: EncodedResource;
}

function providerOf({ zipkin, datadog, openTelemetry }: BackendConf, place: Place): Found | undefined {
  if (zipkin !== undefined) return zipkinProvider(zipkin, place);
  if (datadog !== undefined) return datadogProvider(datadog, place);
  return openTelemetry && openTelemetryProvider(openTelemetry, place);
}

// The service's name in its spans is the node's, which the bootstrap gave Envoy.
function zipkinProvider(conf: ZipkinConf, { proxy }: Place): Found | undefined {
  const url = httpUrl(conf.url);
  if (url === undefined) return undefined;
  const { host, port, path, tls } = url;
  const name = systemName("meshtrace_zipkin", conf.url);
  const config = any(ZipkinConfigSchema, {
    collectorCluster: name,
    collectorEndpoint: path,
    collectorHostname: new URL(conf.url).host,
    traceId128bit: conf.traceId128bit ?? false,
    sharedSpanContext: conf.sharedSpanContext ?? true,
    collectorEndpointVersion:
      conf.apiVersion === "httpProto"
        ? ZipkinConfig_CollectorEndpointVersion.HTTP_PROTO
        : ZipkinConfig_CollectorEndpointVersion.HTTP_JSON,
  });
  const cluster = systemCluster(name, {
    address: host,
    port,
    http2: false,
    ...(tls ? { tls: { authorities: proxy.node.systemCaPath } } : {}),
  });
  return { provider: { name: "envoy.tracers.zipkin", config }, cluster };
}

function datadogProvider({ url, splitService = false }: DatadogConf, { proxy, suffix }: Place): Found | undefined {
  const read = httpUrl(url);
  if (read === undefined) return undefined;
  const name = systemName("meshtrace_datadog", url);
  const serviceName = `${serviceOf(proxy)}${splitService ? suffix : ""}`;
  const config = any(DatadogConfigSchema, { collectorCluster: name, serviceName });
  const cluster = systemCluster(name, { address: read.host, port: read.port, http2: false });
  return { provider: { name: "envoy.tracers.datadog", config }, cluster };
}

function openTelemetryProvider(conf: CollectorConf, { proxy }: Place): Found | undefined {
  const collector = collectorFor(conf, proxy, { policy: "meshtrace", signal: "traces" });
  if (collector === undefined) return undefined;
  const config = any(OpenTelemetryConfigSchema, { ...collector.service, serviceName: serviceOf(proxy) });
  return { provider: { name: "envoy.tracers.opentelemetry", config }, cluster: collector.cluster };
}
