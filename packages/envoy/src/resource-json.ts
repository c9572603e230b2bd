import { fromBinary, type JsonObject } from "@bufbuild/protobuf";
import { ResourceSchema } from "@heddle/envoy/gen/envoy/service/discovery/v3/discovery_pb.js";
import type { EncodedResource } from "./encoded-resource.ts";
import { jsonOfAny } from "./to-json.ts";

/** An encoded resource as JSON, for people; what is packed in it is unpacked. Shows everything, secrets too. */
export function resourceJson({ bytes }: Pick<EncodedResource, "bytes">): JsonObject {
  const { resource } = fromBinary(ResourceSchema, bytes);
  if (resource === undefined) throw new Error("Cannot show an Envoy resource: it is empty");
  const { "@type": _known, ...fields } = jsonOfAny(resource);
  return fields;
}
