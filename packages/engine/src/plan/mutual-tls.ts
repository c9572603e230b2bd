/** How a client proves who it is to a destination, and who it accepts there. */
export interface UpstreamTls {
  readonly sni: string;
  /** SPIFFE IDs that the server may have; any of the mesh when empty. */
  readonly identities: readonly string[];
}

/** How a proxy takes part in mutual TLS: names of the secrets it gets by SDS, and whom it trusts. */
export interface ProxyTls {
  /** What gave the proxy its identity, and so what the identities of its callers look like. */
  readonly issuer: "Mesh" | "MeshIdentity";
  readonly mode: "strict" | "permissive";
  readonly identitySecret: string;
  readonly trustSecret: string;
  /** Every caller's SPIFFE ID starts with one of these, such as "spiffe://default/". */
  readonly trustPrefixes: readonly string[];
  /** What keys are agreed on with, the first being the one liked best. Absent: Envoy's own. */
  readonly keyExchanges?: readonly string[] | undefined;
  /** Both secrets come from a SPIRE agent beside the proxy, which may take so many milliseconds to answer. */
  readonly agent?: { readonly timeout: number } | undefined;
}
