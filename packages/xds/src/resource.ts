/** One Envoy resource, encoded once; every stream that needs it shares the bytes. */
export interface EncodedResource {
  /** For example "type.googleapis.com/envoy.config.cluster.v3.Cluster". */
  readonly typeUrl: string;
  readonly name: string;
  /** Hash of the content: the same content has the same version on every control plane and after every restart. */
  readonly version: string;
  /** A serialised envoy.service.discovery.v3.Resource: one element of `resources` in a DeltaDiscoveryResponse. */
  readonly bytes: Uint8Array;
}

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
