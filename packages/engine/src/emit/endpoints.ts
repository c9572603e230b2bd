import { encodeResource } from "@heddle/envoy/encode-resource.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import {
  type LbEndpointSchema,
  type LocalityLbEndpointsSchema,
} from "@heddle/envoy/gen/envoy/config/endpoint/v3/endpoint_components_pb.js";
import { ClusterLoadAssignmentSchema } from "@heddle/envoy/gen/envoy/config/endpoint/v3/endpoint_pb.js";
import { type CallerOrder, type EndpointGroup, groupsOf } from "../plan/locality.ts";
import type { Endpoint } from "../snapshot/service-view.ts";
import { type Init, socketAddress } from "./common.ts";

/** Who serves a destination now, as one kind of caller calls them. */
export function loadAssignment(key: string, endpoints: readonly Endpoint[], order: CallerOrder): EncodedResource {
  const factor = order.by === "zone" ? order.overprovisioning : undefined;
  return encodeResource(ClusterLoadAssignmentSchema, key, {
    clusterName: key,
    endpoints: groupsOf(endpoints, order).map(localityEndpoints),
    ...(factor === undefined ? {} : { policy: { overprovisioningFactor: factor } }),
  });
}

function localityEndpoints(group: EndpointGroup): Init<typeof LocalityLbEndpointsSchema> {
  const { priority, zone, subZone, weight, endpoints } = group;
  return {
    locality: { zone, subZone },
    lbEndpoints: endpoints.map(lbEndpoint),
    priority,
    ...(weight === undefined ? {} : { loadBalancingWeight: weight }),
  };
}

function lbEndpoint({ address, port, tags }: Endpoint): Init<typeof LbEndpointSchema> {
  return {
    hostIdentifier: { case: "endpoint", value: { address: socketAddress(address, port) } },
    metadata: { filterMetadata: { "envoy.lb": { ...tags } } },
  };
}
