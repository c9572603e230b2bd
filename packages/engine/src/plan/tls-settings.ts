/** How connections with mutual TLS are made and accepted. */
export interface TlsSettings {
  /** Inbounds: whether plain text is accepted beside mutual TLS. Absent: as the proxy's identity says. */
  readonly mode?: "strict" | "permissive" | undefined;
  readonly minVersion?: TlsVersion | undefined;
  readonly maxVersion?: TlsVersion | undefined;
  /** Up to TLS 1.2, in OpenSSL's names, the first being the one liked best. Absent: Envoy's own. */
  readonly ciphers?: readonly string[] | undefined;
}

/** Versions of TLS that a policy may name. */
export type TlsVersion = "1.0" | "1.1" | "1.2" | "1.3";
