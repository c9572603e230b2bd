import { create, type DescMessage, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import { encode } from "./encode.ts";

/** The type URL of a message, as Envoy names types everywhere. */
export function typeUrlOf(schema: DescMessage): string {
  return `type.googleapis.com/${schema.typeName}`;
}

/** Builds a message and packs it. */
export function any<Schema extends DescMessage>(schema: Schema, init: MessageInitShape<Schema>): Any {
  return pack(schema, create(schema, init));
}

/** Packs a message. The same content gives the same bytes. */
export function pack<Schema extends DescMessage>(schema: Schema, message: MessageShape<Schema>): Any {
  return create(AnySchema, { typeUrl: typeUrlOf(schema), value: encode(schema, message) });
}
