import type { Kind } from "@heddle/model/kind.ts";
import { formatKri, kriOf } from "@heddle/model/kri.ts";
import { formatResource } from "@heddle/model/parse-resource.ts";
import type { Resource } from "@heddle/model/resource.ts";
import type { Meta } from "../reports.ts";

/** A resource as answers show it: what users write, times, and the KRI of kinds that have one. */
export function presentResource(kind: Kind, resource: Resource): Record<string, unknown> {
  const written = formatResource(kind, resource);
  const kri = kriText(kind, resource);
  return kri === undefined ? written : { ...written, kri };
}

/** How another answer refers to a resource. */
export function metaOf(kind: Kind, resource: Resource): Meta {
  const { type, mesh, name, labels } = resource;
  const kri = kriText(kind, resource);
  return { type, mesh, name, labels, ...(kri === undefined ? {} : { kri }) };
}

/** The KRI of a resource as text, if its kind has one. */
export function kriText(kind: Kind, resource: Resource): string | undefined {
  return kind.shortName === undefined ? undefined : formatKri(kriOf(kind.shortName, resource));
}

/** A version as an HTTP entity tag. */
export function etagOf(resource: Resource): string {
  return `"${resource.version}"`;
}
