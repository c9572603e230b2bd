import { isIP } from "node:net";
import type { Any } from "@bufbuild/protobuf/wkt";
import { any } from "@heddle/envoy/any.ts";
import { encodeResource } from "@heddle/envoy/encode-resource.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { TrafficDirection } from "@heddle/envoy/gen/envoy/config/core/v3/base_pb.js";
import type {
  FilterChainSchema,
  ListenerFilterChainMatchPredicateSchema,
  ListenerFilterSchema,
} from "@heddle/envoy/gen/envoy/config/listener/v3/listener_components_pb.js";
import { ListenerSchema } from "@heddle/envoy/gen/envoy/config/listener/v3/listener_pb.js";
import { HttpInspectorSchema } from "@heddle/envoy/gen/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb.js";
import { OriginalDstSchema } from "@heddle/envoy/gen/envoy/extensions/filters/listener/original_dst/v3/original_dst_pb.js";
import { TlsInspectorSchema } from "@heddle/envoy/gen/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.js";
import { TcpProxySchema } from "@heddle/envoy/gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import type { AddressRange, Passthrough, PassthroughChain } from "../plan/passthrough.ts";
import { type Init, socketAddress } from "./common.ts";
import { originalDestination, passthroughCluster } from "./passthrough-cluster.ts";
import { passthroughHttp } from "./passthrough-http.ts";
import { chainMatcher } from "./passthrough-matcher.ts";

type Chain = Init<typeof FilterChainSchema>;
type ListenerFilter = Init<typeof ListenerFilterSchema>;
type Matched = Extract<Passthrough, { readonly mode: "matched" }>;

/** Where a listener takes redirected connections of one family of addresses; `address` is the proxy's own. */
export interface RedirectTarget {
  readonly family: 4 | 6;
  readonly port: number;
  readonly address: string;
}

/** Takes what the application sends to addresses that no outbound stands for. */
export function outboundPassthrough(plan: Passthrough, target: RedirectTarget): readonly EncodedResource[] {
  const name = `self_transparentproxy_passthrough_outbound_ipv${target.family}`;
  if (plan.mode !== "matched") {
    // Another chain, not just a missing cluster: then Envoy ends connections from before as well, after its drain time.
    const { filters } = forward(name, plan.mode === "none" ? NOWHERE : name);
    const listener = redirectListener(name, target, {
      trafficDirection: TrafficDirection.OUTBOUND,
      filterChains: [refuseItself(target.port, ownRanges(target)), { filters }],
    });
    return plan.mode === "none" ? [listener] : [listener, originalDestination(name)];
  }
  const chains = plan.chains.filter(({ when }) => isOfFamily(when.range, target.family));
  return [
    redirectListener(name, target, {
      trafficDirection: TrafficDirection.OUTBOUND,
      listenerFilters: [ORIGINAL_DST, ...inspectors(plan)],
      // Who says nothing may wait for the server to speak; then there is nothing to be read from the first bytes.
      continueOnListenerFiltersTimeout: true,
      filterChains: [refuseItself(target.port, []), ...chains.map(toChain)].map(withoutMatch),
      filterChainMatcher: chainMatcher({ itself: ownRanges(target), port: target.port, nowhere: NOWHERE, chains }),
    }),
    ...plan.clusters.map((each) => passthroughCluster(each)),
  ];
}

/** Takes what is sent to ports of the application's machine that no inbound stands for, and hands it on there. */
export function inboundPassthrough(target: RedirectTarget): readonly EncodedResource[] {
  const name = `self_transparentproxy_passthrough_inbound_ipv${target.family}`;
  return [
    redirectListener(name, target, {
      trafficDirection: TrafficDirection.INBOUND,
      // Whatever comes in is for the machine itself, at whichever of its addresses.
      filterChains: [refuseItself(target.port, []), { filters: forward(name, name).filters }],
    }),
    // What leaves from this address is not redirected again (kuma-api.md §6.1).
    originalDestination(name, target.family === 4 ? "127.0.0.6" : "::6"),
  ];
}

function redirectListener(
  name: string,
  { family, port }: RedirectTarget,
  rest: Init<typeof ListenerSchema>,
): EncodedResource {
  return encodeResource(ListenerSchema, name, {
    name,
    address: socketAddress(family === 4 ? "0.0.0.0" : "::", port),
    statPrefix: name,
    useOriginalDst: true,
    listenerFilters: [ORIGINAL_DST],
    ...rest,
  });
}

// A connection that was made to the redirect port itself would be handed to this listener over and over again.
function refuseItself(destinationPort: number, ranges: readonly AddressRange[]): Chain {
  const prefixRanges = ranges.map(({ address, prefix }) => ({
    addressPrefix: address,
    prefixLen: prefix,
  }));
  const { filters } = forward(NOWHERE, NOWHERE);
  return {
    name: NOWHERE,
    filterChainMatch: { destinationPort, prefixRanges },
    filters,
  };
}

function ownRanges({ family, address }: RedirectTarget): readonly AddressRange[] {
  const own = isIP(address) === family && !address.startsWith("127.") && address !== "::1";
  return [
    family === 4 ? { address: "127.0.0.0", prefix: 8 } : { address: "::1", prefix: 128 },
    ...(own ? [{ address, prefix: family === 4 ? 32 : 128 }] : []),
  ];
}

// Stands for what does not exist: Envoy closes a connection whose cluster it does not know.
const NOWHERE = "heddle.nowhere";

function isOfFamily(range: AddressRange | undefined, family: 4 | 6): boolean {
  return range === undefined || isIP(range.address) === family;
}

function toChain({ name, to }: PassthroughChain): Chain {
  return "cluster" in to ? forward(name, to.cluster) : { name, filters: [passthroughHttp(name, to)] };
}

function forward(name: string, cluster: string): Chain & Required<Pick<Chain, "filters">> {
  const config = any(TcpProxySchema, { statPrefix: name, clusterSpecifier: { case: "cluster", value: cluster } });
  return { name, filters: [{ name: "envoy.filters.network.tcp_proxy", configType: typed(config) }] };
}

// One matcher for all chains takes the place of theirs.
function withoutMatch({ filterChainMatch: _replaced, ...chain }: Chain): Chain {
  return chain;
}

const ORIGINAL_DST: ListenerFilter = {
  name: "envoy.filters.listener.original_dst",
  configType: typed(any(OriginalDstSchema, {})),
};

/** First bytes are read where something depends on them, and nowhere else: a server that speaks first would wait. */
function inspectors({ chains, uninspectedPorts }: Matched): ListenerFilter[] {
  const read = chains.filter(({ when }) => when.tls !== undefined || when.http === true);
  if (read.length === 0) return [];
  const ports = read.flatMap(({ when: { port } }) => port ?? []);
  const everywhere = ports.length < read.length;
  const disabled = everywhere ? anyPortOf(uninspectedPorts) : allPortsBut(ports, uninspectedPorts);
  return [
    ["envoy.filters.listener.tls_inspector", any(TlsInspectorSchema, {})] as const,
    ["envoy.filters.listener.http_inspector", any(HttpInspectorSchema, {})] as const,
  ].map(([name, config]) => ({
    name,
    configType: typed(config),
    ...(disabled === undefined ? {} : { filterDisabled: disabled }),
  }));
}

type Predicate = Init<typeof ListenerFilterChainMatchPredicateSchema>;

function allPortsBut(ports: readonly number[], uninspected: readonly number[]): Predicate {
  const read = anyPortOf(ports.filter((port) => !uninspected.includes(port)));
  return { rule: read === undefined ? { case: "anyMatch", value: true } : { case: "notMatch", value: read } };
}

function anyPortOf(ports: readonly number[]): Predicate | undefined {
  const rules = [...new Set(ports)].toSorted((a, b) => a - b).map(onPort);
  const [only] = rules;
  if (rules.length < 2) return only;
  return { rule: { case: "orMatch", value: { rules } } };
}

function onPort(port: number): Predicate {
  return { rule: { case: "destinationPortRange", value: { start: port, end: port + 1 } } };
}

function typed(value: Any): { readonly case: "typedConfig"; readonly value: Any } {
  return { case: "typedConfig", value };
}
