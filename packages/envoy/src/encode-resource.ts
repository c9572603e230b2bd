import { hash } from "node:crypto";
import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { typeUrlOf } from "./any.ts";
import { encode } from "./encode.ts";
import type { EncodedResource } from "./encoded-resource.ts";

/** Builds an Envoy resource and encodes it, once for all streams. Its version is a hash of its bytes. */
export function encodeResource<Schema extends DescMessage>(
  schema: Schema,
  name: string,
  init: MessageInitShape<Schema>,
): EncodedResource {
  return encodeBytes(typeUrlOf(schema), name, encode(schema, create(schema, init)));
}

/** The same for a message that is encoded already. */
export function encodeBytes(typeUrl: string, name: string, value: Uint8Array): EncodedResource {
  const version = hash("sha256", value, "hex").slice(0, 16);
  return { typeUrl, name, version, bytes: envelope(typeUrl, name, version, value) };
}

/**
 * An envoy.service.discovery.v3.Resource around a google.protobuf.Any, written field by field: this runs for every
 * resource of every change, and copying the bytes once is half the time of building both messages.
 * https://github.com/envoyproxy/envoy/blob/main/api/envoy/service/discovery/v3/discovery.proto
 */
function envelope(typeUrl: string, name: string, version: string, value: Uint8Array): Uint8Array {
  const writer = new BinaryWriter().tag(1, WireType.LengthDelimited).string(version);
  writer.tag(2, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.LengthDelimited).string(typeUrl).tag(2, WireType.LengthDelimited).bytes(value);
  return writer.join().tag(3, WireType.LengthDelimited).string(name).finish();
}
