import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";

export type { EncodedResource };

/**
 * What a proxy should hold: by type URL, then by name. A set is replaced as a whole; a type that did not change keeps
 * the same inner Map object, which is how a stream knows that it can skip it.
 */
export type ResourceSet = ReadonlyMap<string, ReadonlyMap<string, EncodedResource>>;

/** A resource as it is named in reports. */
export interface ResourceVersion {
  readonly name: string;
  readonly version: string;
}
