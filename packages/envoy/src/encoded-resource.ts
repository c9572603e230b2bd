/** One Envoy resource, encoded once: every stream that needs it shares the bytes. */
export interface EncodedResource {
  /** For example "type.googleapis.com/envoy.config.cluster.v3.Cluster". */
  readonly typeUrl: string;
  readonly name: string;
  /** A hash of the content: the same on every replica and after every restart. */
  readonly version: string;
  /**
   * A serialised envoy.service.discovery.v3.Resource: one `resources` element of a DeltaDiscoveryResponse. Empty when
   * only the proxy has the content, such as a private key that was not kept: then nothing can be sent in its place.
   */
  readonly bytes: Uint8Array;
}
