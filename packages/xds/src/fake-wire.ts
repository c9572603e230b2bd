import { create, type JsonObject, toBinary } from "@bufbuild/protobuf";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { NodeSchema } from "@heddle/envoy/gen/envoy/config/core/v3/base_pb.js";
import type { DeltaRequest } from "./events.ts";
import { grpcPrefix } from "./grpc-frame.ts";

/** A resource as a client receives it. `value` is the serialised message inside the Any, a view into the response. */
export interface ReceivedResource {
  readonly typeUrl: string;
  readonly name: string;
  readonly version: string;
  readonly value: Uint8Array;
}

export interface ReceivedResponse {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly resources: readonly ReceivedResource[];
  readonly removed: readonly string[];
}

/** Serialises the Node of a fake proxy; done once, as it is part of each stream's first message. */
export function encodeNode(id: string, cluster: string, metadata: JsonObject): Uint8Array {
  return toBinary(NodeSchema, create(NodeSchema, { id, cluster, metadata, userAgentName: "envoy" }));
}

/** A DeltaDiscoveryRequest with its gRPC prefix, written by hand: thousands of fakes acknowledge in one process. */
export function encodeRequest(request: Partial<DeltaRequest> & { typeUrl: string }, node?: Uint8Array): Uint8Array {
  const writer = new BinaryWriter();
  const text = (field: number, value: string) => writer.tag(field, WireType.LengthDelimited).string(value);
  if (node !== undefined) writer.tag(1, WireType.LengthDelimited).bytes(node);
  text(2, request.typeUrl);
  for (const name of request.subscribe ?? []) text(3, name);
  for (const name of request.unsubscribe ?? []) text(4, name);
  for (const [name, version] of Object.entries(request.initialVersions ?? {})) {
    writer.tag(5, WireType.LengthDelimited).fork();
    text(1, name);
    text(2, version);
    writer.join();
  }
  if (request.nonce) text(6, request.nonce);
  if (request.error !== undefined) {
    writer.tag(7, WireType.LengthDelimited).fork().tag(1, WireType.Varint).int32(13);
    text(2, request.error);
    writer.join();
  }
  const message = writer.finish();
  return Buffer.concat([grpcPrefix(message.length), message]);
}

/** Reads a DeltaDiscoveryResponse. */
export function decodeResponse(message: Uint8Array): ReceivedResponse {
  const resources: ReceivedResource[] = [];
  const removed: string[] = [];
  let typeUrl = "";
  let nonce = "";
  eachField(message, (field, reader) => {
    if (field === 2) resources.push(decodeResource(reader.bytes()));
    else if (field === 4) typeUrl = reader.string();
    else if (field === 5) nonce = reader.string();
    else if (field === 6) removed.push(reader.string());
    else return false;
    return true;
  });
  return { typeUrl, nonce, resources, removed };
}

function decodeResource(bytes: Uint8Array): ReceivedResource {
  let [name, version, typeUrl, value] = ["", "", "", new Uint8Array()];
  eachField(bytes, (field, reader) => {
    if (field === 3) name = reader.string();
    else if (field === 1) version = reader.string();
    else if (field === 2) {
      eachField(reader.bytes(), (inner, any) => {
        if (inner === 1) typeUrl = any.string();
        else if (inner === 2) value = any.bytes() as Uint8Array<ArrayBuffer>;
        else return false;
        return true;
      });
    } else return false;
    return true;
  });
  return { typeUrl, name, version, value };
}

/** Calls `read` for each field; false means "not read", and the field is skipped. */
function eachField(bytes: Uint8Array, read: (field: number, reader: BinaryReader) => boolean): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (!read(field, reader)) reader.skip(wireType, field);
  }
}
