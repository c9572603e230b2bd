import { fromBinary, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { ResourceSchema } from "@heddle/envoy/gen/envoy/service/discovery/v3/discovery_pb.js";
import { jsonOfAny } from "@heddle/envoy/to-json.ts";

/** What Envoy reads, as JSON with "@type"; packed messages are unpacked. */
export function decoded({ bytes }: Pick<EncodedResource, "bytes">): JsonObject {
  const { resource } = fromBinary(ResourceSchema, bytes);
  if (resource === undefined) throw new Error("Cannot decode an Envoy resource: it is empty");
  return typeFirst(jsonOfAny(resource)) as JsonObject;
}

// A reader wants to know what something is before what is in it.
function typeFirst(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(typeFirst);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, typeFirst(inner)]));
  const { "@type": type, ...rest } = fields;
  return type === undefined ? rest : { "@type": type, ...rest };
}
