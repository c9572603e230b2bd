import { encodeResource } from "@heddle/envoy/encode-resource.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import {
  type LbEndpointSchema,
  type LocalityLbEndpointsSchema,
} from "@heddle/envoy/gen/envoy/config/endpoint/v3/endpoint_components_pb.js";
import { ClusterLoadAssignmentSchema } from "@heddle/envoy/gen/envoy/config/endpoint/v3/endpoint_pb.js";
import type { Endpoint } from "../snapshot/service-view.ts";
import { type Init, socketAddress } from "./common.ts";

/** Who serves a destination now, grouped by zone. */
export function loadAssignment(key: string, endpoints: readonly Endpoint[]): EncodedResource {
  const zones = [...new Set(endpoints.map(({ zone }) => zone))].toSorted();
  return encodeResource(ClusterLoadAssignmentSchema, key, {
    clusterName: key,
    endpoints: zones.map((zone): Init<typeof LocalityLbEndpointsSchema> => ({
      locality: { zone },
      lbEndpoints: endpoints.filter((endpoint) => endpoint.zone === zone).map(lbEndpoint),
    })),
  });
}

function lbEndpoint({ address, port, tags }: Endpoint): Init<typeof LbEndpointSchema> {
  return {
    hostIdentifier: { case: "endpoint", value: { address: socketAddress(address, port) } },
    metadata: { filterMetadata: { "envoy.lb": { ...tags } } },
  };
}
