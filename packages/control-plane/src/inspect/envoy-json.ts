import { fromBinary, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { ResourceSchema } from "@heddle/envoy/gen/envoy/service/discovery/v3/discovery_pb.js";
import { jsonOfAny } from "@heddle/envoy/to-json.ts";

/** What stands in the place of a secret. */
export const REDACTED = "[redacted]";

/** Fields of Envoy's API that hold secrets; certificates and authorities are public. */
const SECRET_FIELDS: ReadonlySet<string> = new Set([
  "privateKey",
  "privateKeyProvider",
  "password",
  "pkcs12",
  "sessionTicketKeys",
  "genericSecret",
]);

/** A resource as Envoy gets it, as JSON for people: packed messages unpacked, secrets replaced. */
export function envoyJson({ bytes }: Pick<EncodedResource, "bytes">): JsonObject {
  const { resource } = fromBinary(ResourceSchema, bytes);
  if (resource === undefined) return {};
  const { "@type": _known, ...fields } = jsonOfAny(resource);
  return redacted(fields) as JsonObject;
}

function redacted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(redacted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, SECRET_FIELDS.has(key) ? REDACTED : redacted(inner)]),
  );
}
