import { type DescMessage, type JsonObject, type MessageShape, toJson } from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import { typeRegistry } from "./type-registry.ts";

/**
 * A message as JSON, for people: dumps, goldens, inspection. What is packed in an Any inside it is unpacked.
 * A packed type that is not known here fails; nothing that this package builds can contain one.
 */
export function jsonOf<Schema extends DescMessage>(schema: Schema, message: MessageShape<Schema>): JsonObject {
  // Only google.protobuf.* messages have a JSON form that is no object.
  return toJson(schema, message, { registry: typeRegistry() }) as JsonObject;
}

/** The same for a packed message, with its type as "@type". One of an unknown type keeps its bytes, in base64. */
export function jsonOfAny(any: Any): JsonObject {
  const { typeUrl, value } = any;
  const isKnown = typeRegistry().getMessage(typeUrl.slice(typeUrl.lastIndexOf("/") + 1)) !== undefined;
  return isKnown ? jsonOf(AnySchema, any) : { "@type": typeUrl, value: Buffer.from(value).toString("base64") };
}
