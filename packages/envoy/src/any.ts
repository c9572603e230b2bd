import { create, type DescMessage, type MessageInitShape, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";

/** The type URL of a message, as Envoy names types everywhere. */
export function typeUrlOf(schema: DescMessage): string {
  return `type.googleapis.com/${schema.typeName}`;
}

/** Builds a message and packs it. */
export function any<Schema extends DescMessage>(schema: Schema, init: MessageInitShape<Schema>): Any {
  return pack(schema, create(schema, init));
}

/** Packs a message. The same content gives the same bytes: fields are written in order, maps as they were filled. */
export function pack<Schema extends DescMessage>(schema: Schema, message: MessageShape<Schema>): Any {
  return create(AnySchema, { typeUrl: typeUrlOf(schema), value: toBinary(schema, message) });
}
