import type { Any } from "@bufbuild/protobuf/wkt";
import { any } from "@heddle/envoy/any.ts";
import { duration } from "@heddle/envoy/duration.ts";
import { encodeResource } from "@heddle/envoy/encode-resource.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { TrafficDirection } from "@heddle/envoy/gen/envoy/config/core/v3/base_pb.js";
import type {
  FilterChainSchema,
  FilterSchema,
} from "@heddle/envoy/gen/envoy/config/listener/v3/listener_components_pb.js";
import { ListenerSchema } from "@heddle/envoy/gen/envoy/config/listener/v3/listener_pb.js";
import { TlsInspectorSchema } from "@heddle/envoy/gen/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.js";
import { RouterSchema } from "@heddle/envoy/gen/envoy/extensions/filters/http/router/v3/router_pb.js";
import {
  HttpConnectionManager_CodecType,
  HttpConnectionManager_ForwardClientCertDetails,
  HttpConnectionManagerSchema,
} from "@heddle/envoy/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { TcpProxySchema } from "@heddle/envoy/gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { ObjectMemo } from "../memo.ts";
import type { InboundPlan, OutboundPlan, RouteAction, Settings } from "../plan/plan.ts";
import { needsServerName } from "../plan/settings.ts";
import { rememberServerName } from "./caller-match.ts";
import { FROM_ADS, isHttp, socketAddress, type Init } from "./common.ts";
import { oneDomain } from "./one-domain.ts";
import { emitAccessLog, emitTracing } from "./observe.ts";
import { downstreamTls, MESH_ALPN } from "./tls.ts";

type Chain = Init<typeof FilterChainSchema>;
type Filter = Init<typeof FilterSchema>;

/** The local port under which the application reaches a destination. */
export function outboundListener(plan: OutboundPlan): EncodedResource {
  const { key } = plan.destination;
  const name = outboundListenerName(plan);
  return encodeResource(ListenerSchema, name, {
    name,
    address: socketAddress(plan.address, plan.port),
    trafficDirection: TrafficDirection.OUTBOUND,
    statPrefix: key,
    ...bound(plan),
    filterChains: [{ filters: outboundFilters.get(plan.settings, key, () => makeOutboundFilters(plan)) }],
  });
}

// The settings are those of the destination's traffic, whichever port it is sent to: only the address is another.
const outboundFilters = new ObjectMemo<Settings, Filter[]>();

function makeOutboundFilters({ destination: { key, protocol }, settings, routes }: OutboundPlan): Filter[] {
  const last = isHttp(protocol)
    ? httpManager(key, key, settings, "outbound")
    : tcpProxy(key, routes[0]?.action, settings);
  return [...networkFilters(settings), last];
}

/** The name of an outbound's listener: the destination and, because one may have several ports, where it listens. */
export function outboundListenerName({ destination, address, port }: OutboundPlan): string {
  return address === "127.0.0.1" ? `${destination.key}:${port}` : `${destination.key}:${address}:${port}`;
}

/** The port on which a proxy takes requests for its application. */
export function inboundListener(plan: InboundPlan): EncodedResource {
  const chains = inboundChains(plan);
  return encodeResource(ListenerSchema, plan.key, {
    name: plan.key,
    address: socketAddress(plan.address, plan.port),
    trafficDirection: TrafficDirection.INBOUND,
    statPrefix: plan.key,
    ...bound(plan),
    // Telling TLS from plain text needs a look at the first bytes, and so does the server name: without this filter
    // Envoy knows none, and a permission that denies by server name would deny nobody.
    ...(plan.tls === undefined ? {} : { listenerFilters: [TLS_INSPECTOR] }),
    filterChains: chains,
  });
}

// Redirected connections are handed over by the listener that they are redirected to.
function bound({ redirected }: InboundPlan | OutboundPlan): Init<typeof ListenerSchema> {
  return redirected === true ? { bindToPort: false } : {};
}

const TLS_INSPECTOR = {
  name: "envoy.filters.listener.tls_inspector",
  configType: { case: "typedConfig", value: any(TlsInspectorSchema, {}) },
} as const;

function inboundChains(plan: InboundPlan): Chain[] {
  const open = withoutIdentity(plan.settings);
  const plain = [...networkFilters(open), mainFilter(plan, open)];
  if (plan.tls === undefined) return [{ name: "plain", filters: plain }];
  const secure: Chain = {
    name: "mtls",
    filters: [
      ...oneDomain(plan.tls),
      ...networkFilters(plan.settings),
      ...(needsServerName(plan.settings.callers) ? [rememberServerName()] : []),
      mainFilter(plan, plan.settings),
    ],
    transportSocket: downstreamTls(plan.tls, plan.settings.tls),
  };
  if (plan.tls.mode === "strict") return [secure];
  // TLS that is not the mesh's own belongs to the application: its bytes go through untouched.
  const untouched: Chain = {
    name: "tls",
    filterChainMatch: { transportProtocol: "tls" },
    filters: [...networkFilters(open), tcpProxy(plan.key, undefined, open)],
  };
  return [
    { name: "plain", filterChainMatch: { transportProtocol: "raw_buffer" }, filters: plain },
    ...(mustReadRequests(plan) ? [] : [untouched]),
    { ...secure, filterChainMatch: { transportProtocol: "tls", applicationProtocols: [MESH_ALPN] } },
  ];

  function mainFilter(inbound: InboundPlan, { httpFilters }: Pick<Settings, "httpFilters">): Filter {
    const settings = { ...inbound.settings, httpFilters };
    return isHttp(inbound.protocol)
      ? httpManager(inbound.key, inbound.key, settings, "inbound")
      : tcpProxy(inbound.key, undefined, settings);
  }
}

// A port whose requests have to be judged takes no bytes in which it could read none: they would get past the judge.
function mustReadRequests({ protocol, settings }: InboundPlan): boolean {
  return isHttp(protocol) && settings.httpFilters.some(({ stage }) => stage === "authenticate" || stage === "decide");
}

// Without mutual TLS nobody's identity is known, so there is nothing that permissions could be checked against.
function withoutIdentity(settings: Settings): Settings {
  return {
    ...settings,
    httpFilters: settings.httpFilters.filter(({ stage }) => stage !== "authorize"),
    networkFilters: settings.networkFilters.filter(({ stage }) => stage !== "authorize"),
  };
}

function networkFilters({ networkFilters: filters }: Settings): Filter[] {
  return filters.map(({ name, config }) => filter(name, config));
}

function httpManager(
  statPrefix: string,
  routes: string,
  settings: Settings,
  direction: "inbound" | "outbound",
): Filter {
  const { connection, httpFilters, accessLogs, tracing } = settings;
  const { maxConnectionDuration, streamIdleTimeout, requestHeadersTimeout } = connection;
  return filter(
    "envoy.filters.network.http_connection_manager",
    any(HttpConnectionManagerSchema, {
      statPrefix,
      codecType: HttpConnectionManager_CodecType.AUTO,
      routeSpecifier: { case: "rds", value: { configSource: FROM_ADS, routeConfigName: routes } },
      commonHttpProtocolOptions: {
        // Idle connections are closed by the side that made them (see the cluster's idle timeout): were both sides to
        // close, a request could meet a connection that is just being closed. Kuma does the same.
        idleTimeout: duration(0),
        ...(maxConnectionDuration ? { maxConnectionDuration: duration(maxConnectionDuration) } : {}),
      },
      ...(streamIdleTimeout === undefined ? {} : { streamIdleTimeout: duration(streamIdleTimeout) }),
      ...(requestHeadersTimeout ? { requestHeadersTimeout: duration(requestHeadersTimeout) } : {}),
      normalizePath: true,
      upgradeConfigs: [{ upgradeType: "websocket" }],
      httpFilters: [
        ...httpFilters.map(({ name, config }) => ({ name, configType: typed(config) })),
        { name: "envoy.filters.http.router", configType: typed(any(RouterSchema, {})) },
      ],
      ...(accessLogs.length === 0 ? {} : { accessLog: accessLogs.map(emitAccessLog) }),
      ...(tracing === undefined ? {} : { tracing: emitTracing(tracing) }),
      ...(direction === "inbound" ? IDENTIFY_CALLER : {}),
    }),
  );
}

// What the application reads about its caller is what the certificate says, never what the caller claims.
const IDENTIFY_CALLER = {
  forwardClientCertDetails: HttpConnectionManager_ForwardClientCertDetails.SANITIZE_SET,
  setCurrentClientCertDetails: { uri: true },
} as const;

function tcpProxy(statPrefix: string, action: RouteAction | undefined, settings: Settings): Filter {
  const { connection, accessLogs } = settings;
  const { idleTimeout, maxConnectionDuration, connectAttempts } = connection;
  return filter(
    "envoy.filters.network.tcp_proxy",
    any(TcpProxySchema, {
      statPrefix,
      clusterSpecifier: whereBytesGo(statPrefix, action),
      ...(idleTimeout === undefined ? {} : { idleTimeout: duration(idleTimeout) }),
      ...(maxConnectionDuration ? { maxDownstreamConnectionDuration: duration(maxConnectionDuration) } : {}),
      ...(connectAttempts === undefined ? {} : { maxConnectAttempts: connectAttempts }),
      ...(accessLogs.length === 0 ? {} : { accessLog: accessLogs.map(emitAccessLog) }),
    }),
  );
}

function whereBytesGo(
  own: string,
  action: RouteAction | undefined,
): Init<typeof TcpProxySchema>["clusterSpecifier"] & {} {
  if (action?.do !== "forward") return { case: "cluster", value: own };
  const clusters = [
    ...action.backends.map(({ destination, weight }) => ({ name: destination.key, weight })),
    { name: NOWHERE, weight: action.unresolvedWeight },
  ].filter(({ weight }) => weight > 0);
  const [only = { name: NOWHERE }] = clusters;
  if (clusters.length > 1) return { case: "weightedClusters", value: { clusters } };
  return { case: "cluster", value: only.name };
}

// Stands for backends that do not exist: Envoy closes a connection whose cluster it does not know.
const NOWHERE = "heddle.nowhere";

function filter(name: string, config: Any): Filter {
  return { name, configType: typed(config) };
}

function typed(value: Any): { readonly case: "typedConfig"; readonly value: Any } {
  return { case: "typedConfig", value };
}
