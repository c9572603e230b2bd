import { createHash } from "node:crypto";
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { ResourceSchema } from "@heddle/envoy/gen/envoy/service/discovery/v3/discovery_pb.js";
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
  const version = createHash("sha256").update(value).digest("hex").slice(0, 16);
  const resource = create(AnySchema, { typeUrl, value });
  return {
    typeUrl,
    name,
    version,
    bytes: toBinary(ResourceSchema, create(ResourceSchema, { name, version, resource })),
  };
}
