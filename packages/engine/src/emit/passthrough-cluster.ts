import { any } from "@heddle/envoy/any.ts";
import { duration } from "@heddle/envoy/duration.ts";
import { encodeResource } from "@heddle/envoy/encode-resource.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import {
  Cluster_DiscoveryType,
  Cluster_DnsLookupFamily,
  Cluster_LbPolicy,
  ClusterSchema,
} from "@heddle/envoy/gen/envoy/config/cluster/v3/cluster_pb.js";
import type { SocketAddressSchema } from "@heddle/envoy/gen/envoy/config/core/v3/address_pb.js";
import { HttpProtocolOptionsSchema } from "@heddle/envoy/gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import type { PassthroughCluster } from "../plan/passthrough.ts";
import { type Init, socketAddress } from "./common.ts";

/** Connections go where the application wanted them to; `from` is the address that they then come from. */
export function originalDestination(name: string, from?: string): EncodedResource {
  return encodeResource(ClusterSchema, name, {
    name,
    ...ORIGINAL,
    ...(from === undefined ? {} : { upstreamBindConfig: { sourceAddress: anyPortAt(from) } }),
  });
}

function anyPortAt(address: string): Init<typeof SocketAddressSchema> {
  return { address, portSpecifier: { case: "portValue", value: 0 } };
}

/** Where connections go that a policy lets pass. */
export function passthroughCluster({ name, http2, pinned }: PassthroughCluster): EncodedResource {
  return encodeResource(ClusterSchema, name, {
    name,
    ...(pinned === undefined ? ORIGINAL : lookedUp(name, pinned)),
    ...(http2 ? { typedExtensionProtocolOptions: { [HTTP_OPTIONS]: HTTP2 } } : {}),
  });
}

// What Kuma gives such clusters, as MeshTimeout does not speak of them.
const CONNECT_MILLIS = 5_000;
const HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
const HTTP2 = any(HttpProtocolOptionsSchema, {
  upstreamProtocolOptions: {
    case: "explicitHttpConfig",
    value: { protocolConfig: { case: "http2ProtocolOptions", value: {} } },
  },
});

const ORIGINAL = {
  clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.ORIGINAL_DST },
  lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
  connectTimeout: duration(CONNECT_MILLIS),
} as const satisfies Init<typeof ClusterSchema>;

// Names out there have many addresses that change with every answer: connections to the ones before must live on.
function lookedUp(name: string, { host, port }: PassthroughCluster["pinned"] & {}): Init<typeof ClusterSchema> {
  return {
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.LOGICAL_DNS },
    dnsLookupFamily: Cluster_DnsLookupFamily.ALL,
    connectTimeout: duration(CONNECT_MILLIS),
    loadAssignment: {
      clusterName: name,
      endpoints: [
        { lbEndpoints: [{ hostIdentifier: { case: "endpoint", value: { address: socketAddress(host, port) } } }] },
      ],
    },
  };
}
