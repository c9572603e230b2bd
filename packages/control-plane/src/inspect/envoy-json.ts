import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { resourceJson } from "@heddle/envoy/resource-json.ts";

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
export function envoyJson(resource: Pick<EncodedResource, "bytes">): unknown {
  return redacted(resourceJson(resource));
}

function redacted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redacted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, SECRET_FIELDS.has(key) ? REDACTED : redacted(inner)]),
  );
}
