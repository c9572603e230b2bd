import { create } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { typeUrlOf } from "@heddle/envoy/any.ts";
import { encode } from "@heddle/envoy/encode.ts";
import { encodeBytes } from "@heddle/envoy/encode-resource.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { LbEndpointSchema } from "@heddle/envoy/gen/envoy/config/endpoint/v3/endpoint_components_pb.js";
import { ClusterLoadAssignmentSchema } from "@heddle/envoy/gen/envoy/config/endpoint/v3/endpoint_pb.js";
import { ObjectMemo } from "../memo.ts";
import { type CallerOrder, type EndpointGroup, groupsOf } from "../plan/locality.ts";
import type { Endpoint } from "../snapshot/service-view.ts";
import { socketAddress } from "./common.ts";

/**
 * Who serves a destination now, as one kind of caller calls them. Written field by field around instances that are
 * encoded once: with affinity there may be as many forms of a service as it has instances, and each lists all of them.
 * https://github.com/envoyproxy/envoy/blob/main/api/envoy/config/endpoint/v3/endpoint.proto
 */
export function loadAssignment(key: string, endpoints: readonly Endpoint[], order: CallerOrder): EncodedResource {
  const writer = new BinaryWriter().tag(1, WireType.LengthDelimited).string(key);
  for (const group of groupsOf(endpoints, order)) {
    writeGroup(writer.tag(2, WireType.LengthDelimited).fork(), group);
    writer.join();
  }
  const factor = order.by === "zone" ? order.overprovisioning : undefined;
  if (factor !== undefined) {
    writer.tag(4, WireType.LengthDelimited).fork();
    writeNumber(writer, 3, factor);
    writer.join();
  }
  return encodeBytes(typeUrlOf(ClusterLoadAssignmentSchema), key, writer.finish());
}

function writeGroup(writer: BinaryWriter, { priority, zone, subZone, weight, endpoints }: EndpointGroup): void {
  writer.tag(1, WireType.LengthDelimited).fork();
  writeText(writer, 2, zone);
  writeText(writer, 3, subZone);
  writer.join();
  for (const each of endpoints) {
    writer.tag(2, WireType.LengthDelimited).bytes(lbEndpoints.get(each, "", () => lbEndpoint(each)));
  }
  if (weight !== undefined) writeNumber(writer, 3, weight);
  if (priority > 0) writer.tag(5, WireType.Varint).uint32(priority);
}

function writeText(writer: BinaryWriter, field: number, text: string): void {
  if (text !== "") writer.tag(field, WireType.LengthDelimited).string(text);
}

/** A google.protobuf.UInt32Value; ours are never zero. */
function writeNumber(writer: BinaryWriter, field: number, value: number): void {
  writer.tag(field, WireType.LengthDelimited).fork().tag(1, WireType.Varint).uint32(value).join();
}

const lbEndpoints = new ObjectMemo<Endpoint, Uint8Array>();

function lbEndpoint({ address, port, tags }: Endpoint): Uint8Array {
  const message = create(LbEndpointSchema, {
    hostIdentifier: { case: "endpoint", value: { address: socketAddress(address, port) } },
    metadata: { filterMetadata: { "envoy.lb": { ...tags } } },
  });
  return encode(LbEndpointSchema, message);
}
