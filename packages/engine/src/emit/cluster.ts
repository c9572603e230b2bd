import type { Any } from "@bufbuild/protobuf/wkt";
import { any } from "@heddle/envoy/any.ts";
import { duration } from "@heddle/envoy/duration.ts";
import { encodeResource } from "@heddle/envoy/encode-resource.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { Cluster_DiscoveryType, ClusterSchema } from "@heddle/envoy/gen/envoy/config/cluster/v3/cluster_pb.js";
import { HttpProtocolOptionsSchema } from "@heddle/envoy/gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { TextMemo } from "../memo.ts";
import { whyClosed } from "../plan/external.ts";
import type { ClusterSettings, Destination, InboundPlan, ProxyTls, Settings } from "../plan/plan.ts";
import { emitLoadBalancer, emitLocalities } from "./balancing.ts";
import { emitCircuitBreakers, emitOutlierDetection } from "./circuit-breaker.ts";
import { FROM_ADS, isHttp, socketAddress, type Init } from "./common.ts";
import { outside } from "./external-cluster.ts";
import { emitHealthCheck } from "./health-check.ts";
import { upstreamTls } from "./tls.ts";

const BY_EDS = {
  clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
  edsClusterConfig: { edsConfig: FROM_ADS },
} as const satisfies Init<typeof ClusterSchema>;
const HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/** The instances of a destination, as one proxy calls them. */
export function destinationCluster(
  destination: Destination,
  { cluster: settings, tls: connections }: Pick<Settings, "cluster" | "tls">,
  { tls, systemCaPath }: { readonly tls: ProxyTls | undefined; readonly systemCaPath: string | undefined },
): EncodedResource {
  const { external } = destination;
  const caller = { systemCaPath, hasIdentity: tls !== undefined };
  // Nobody is called there: no secrets need be waited for.
  const isClosed = external !== undefined && whyClosed(external, caller) !== undefined;
  const secure = tls !== undefined && destination.tls !== undefined && !isClosed;
  const http2 = destination.protocol !== "http" || secure;
  return encodeResource(ClusterSchema, destination.key, {
    name: destination.key,
    ...(external === undefined ? BY_EDS : outside(destination, external, caller)),
    ...emitLoadBalancer(settings.loadBalancer ?? { by: "RoundRobin" }),
    // An instance that discovery took away gets no new requests, whatever its last health check said.
    ignoreHealthOnHostRemoval: true,
    ...common(settings),
    ...(isHttp(destination.protocol) ? httpOptions(settings, http2) : {}),
    ...(settings.healthCheck === undefined ? {} : { healthChecks: [emitHealthCheck(settings.healthCheck, http2)] }),
    ...(secure && destination.tls !== undefined
      ? { transportSocket: upstreamTls(tls, destination.tls, connections) }
      : {}),
  });
}

/** The application behind an inbound. */
export function applicationCluster(inbound: InboundPlan): EncodedResource {
  const { service, settings } = inbound;
  return encodeResource(ClusterSchema, inbound.key, {
    name: inbound.key,
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
    loadAssignment: {
      clusterName: inbound.key,
      endpoints: [
        {
          lbEndpoints: [
            { hostIdentifier: { case: "endpoint", value: { address: socketAddress(service.address, service.port) } } },
          ],
        },
      ],
    },
    ...common(settings.cluster),
    ...(isHttp(inbound.protocol) ? httpOptions(settings.cluster, inbound.protocol !== "http") : {}),
  });
}

function common(settings: ClusterSettings): Init<typeof ClusterSchema> {
  const { connectTimeout, circuitBreakers, outlierDetection } = settings;
  return {
    ...(connectTimeout === undefined ? {} : { connectTimeout: duration(connectTimeout) }),
    ...(circuitBreakers === undefined ? {} : { circuitBreakers: emitCircuitBreakers(circuitBreakers) }),
    ...(outlierDetection === undefined ? {} : { outlierDetection: emitOutlierDetection(outlierDetection) }),
    ...balancing(settings),
  };
}

function balancing({ healthyPanicThreshold, localities }: ClusterSettings): Init<typeof ClusterSchema> {
  if (healthyPanicThreshold === undefined && localities === undefined) return {};
  return {
    commonLbConfig: {
      ...(healthyPanicThreshold === undefined ? {} : { healthyPanicThreshold: { value: healthyPanicThreshold } }),
      ...(localities === undefined ? {} : emitLocalities(localities)),
    },
  };
}

function httpOptions(
  settings: ClusterSettings,
  http2: boolean,
): { typedExtensionProtocolOptions: { [key: string]: Any } } {
  const { idleTimeout, maxConnectionDuration, maxStreamDuration } = settings;
  const options = knownOptions.get(`${idleTimeout} ${maxConnectionDuration} ${maxStreamDuration} ${http2}`, () =>
    makeHttpOptions(settings, http2),
  );
  return { typedExtensionProtocolOptions: { [HTTP_OPTIONS]: options } };
}

// Most clusters of a mesh have the same options.
const knownOptions = new TextMemo(100);

function makeHttpOptions(settings: ClusterSettings, http2: boolean): Any {
  const { idleTimeout, maxConnectionDuration, maxStreamDuration } = settings;
  return any(HttpProtocolOptionsSchema, {
    commonHttpProtocolOptions: {
      ...(idleTimeout === undefined ? {} : { idleTimeout: duration(idleTimeout) }),
      ...(maxConnectionDuration ? { maxConnectionDuration: duration(maxConnectionDuration) } : {}),
      ...(maxStreamDuration ? { maxStreamDuration: duration(maxStreamDuration) } : {}),
    },
    upstreamProtocolOptions: {
      case: "explicitHttpConfig",
      value: {
        protocolConfig: http2
          ? { case: "http2ProtocolOptions", value: {} }
          : { case: "httpProtocolOptions", value: {} },
      },
    },
  });
}
