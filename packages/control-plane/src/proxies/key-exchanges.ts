/** The hybrid of ML-KEM-768 and X25519 first: what is recorded today stays closed to the quantum computers of tomorrow. */
const HYBRID_FIRST = ["X25519MLKEM768", "X25519", "P-256"] as const;

/**
 * What an Envoy of this build is to agree on keys with; undefined when it does right by itself. From 1.40 on it offers the
 * hybrid unasked (envoyproxy/envoy#47225), before only when told. Builds with another TLS library are left alone: a name
 * that it does not know makes Envoy refuse the whole listener.
 */
export function keyExchangesFor(build: unknown): readonly string[] | undefined {
  const [, minor] =
    (typeof build === "string" && /^[^/]*\/1\.(\d{1,3})\.[^/]*\/[^/]*\/[^/]*\/BoringSSL$/.exec(build)) || [];
  return minor !== undefined && Number(minor) >= 36 && Number(minor) < 40 ? HYBRID_FIRST : undefined;
}

/** The same by the metadata of a node, in which the launcher tells of its Envoy under Kuma's keys. */
export function keyExchangesOf({ version }: Readonly<Record<string, unknown>>): readonly string[] | undefined {
  const { envoy } = (version ?? {}) as { readonly envoy?: { readonly build?: unknown } | null };
  return keyExchangesFor(envoy?.build);
}
