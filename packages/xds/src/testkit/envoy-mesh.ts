import { createRegistry, type DescMessage, fromJson, type JsonValue, toBinary } from "@bufbuild/protobuf";
import { ClusterSchema } from "@heddle/envoy/gen/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "@heddle/envoy/gen/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "@heddle/envoy/gen/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "@heddle/envoy/gen/envoy/config/route/v3/route_pb.js";
import { RouterSchema } from "@heddle/envoy/gen/envoy/extensions/filters/http/router/v3/router_pb.js";
import { HttpConnectionManagerSchema } from "@heddle/envoy/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { encodeBytes } from "@heddle/envoy/encode-resource.ts";
import type { EncodedResource, ResourceSet } from "../resource.ts";

/** A cluster whose endpoints come by EDS. Another time-out makes another content. */
export function edsCluster(name: string, connectTimeout = "1s"): EncodedResource {
  const eds = { ads: {}, resource_api_version: "V3", initial_fetch_timeout: "0s" };
  return encode(ClusterSchema, name, {
    name,
    type: "EDS",
    connect_timeout: connectTimeout,
    eds_cluster_config: { eds_config: eds },
  });
}

/** The endpoints of a cluster: ports of loopback. */
export function endpoints(cluster: string, ...ports: readonly number[]): EncodedResource {
  const address = (port: number) => ({ socket_address: { address: "127.0.0.1", port_value: port } });
  const lbEndpoints = ports.map((port) => ({ endpoint: { address: address(port) } }));
  return encode(ClusterLoadAssignmentSchema, cluster, {
    cluster_name: cluster,
    endpoints: [{ lb_endpoints: lbEndpoints }],
  });
}

/** A listener on loopback whose routes come by RDS. */
export function httpListener(name: string, port: number, route: string): EncodedResource {
  const rds = { route_config_name: route, config_source: { ads: {}, resource_api_version: "V3" } };
  const router = { "@type": `type.googleapis.com/${RouterSchema.typeName}` };
  const manager = {
    "@type": `type.googleapis.com/${HttpConnectionManagerSchema.typeName}`,
    stat_prefix: name,
    rds,
    http_filters: [{ name: "envoy.filters.http.router", typed_config: router }],
  };
  return encode(ListenerSchema, name, {
    name,
    address: { socket_address: { address: "127.0.0.1", port_value: port } },
    filter_chains: [{ filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }] }],
  });
}

/** A listener that Envoy refuses: it has no address it could listen on. */
export function refusedListener(name: string): EncodedResource {
  return encode(ListenerSchema, name, { name, address: { pipe: { path: "" } } });
}

/** Everything to one cluster. */
export function routes(name: string, cluster: string): EncodedResource {
  const virtualHost = { name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster } }] };
  return encode(RouteConfigurationSchema, name, { name, virtual_hosts: [virtualHost] });
}

/** The resources as a set. */
export function setOf(...resources: readonly EncodedResource[]): ResourceSet {
  const byType = Map.groupBy(resources, ({ typeUrl }) => typeUrl);
  return new Map([...byType].map(([type, all]) => [type, new Map(all.map((each) => [each.name, each]))]));
}

function encode(schema: DescMessage, name: string, json: JsonValue): EncodedResource {
  const message = fromJson(schema, json, { registry });
  return encodeBytes(`type.googleapis.com/${schema.typeName}`, name, toBinary(schema, message));
}

const registry = createRegistry(HttpConnectionManagerSchema, RouterSchema);
