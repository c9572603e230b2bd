import { create, type DescMessage, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import { encode } from "./encode.ts";

/** The type URL of a message, as Envoy names types everywhere. */
export function typeUrlOf(schema: DescMessage): string {
  // The same string each time: maps by type URL then compare a pointer instead of every letter.
  const known = typeUrls.get(schema) ?? `type.googleapis.com/${schema.typeName}`;
  typeUrls.set(schema, known);
  return known;
}

const typeUrls = new WeakMap<DescMessage, string>();

/** Builds a message and packs it. */
export function any<Schema extends DescMessage>(schema: Schema, init: MessageInitShape<Schema>): Any {
  return pack(schema, create(schema, init));
}

/** Packs a message. The same content gives the same bytes. */
export function pack<Schema extends DescMessage>(schema: Schema, message: MessageShape<Schema>): Any {
  return create(AnySchema, { typeUrl: typeUrlOf(schema), value: encode(schema, message) });
}
