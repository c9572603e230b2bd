import type { TlsSettings, TlsVersion } from "@heddle/engine/plan/tls-settings.ts";
import { definePolicy } from "@heddle/engine/policy.ts";
import { meshTlsKind, type TlsConf, type Version } from "./schema.ts";

/** How proxies take part in mutual TLS. Does nothing where there is none: an identity turns it on, not this policy. */
export const meshTls = definePolicy<TlsConf, TlsConf>({
  kind: meshTlsKind,
  rulesMeanBothWays: true,
  inbound: ({ everyone }, { tls }) =>
    tls === undefined || everyone === undefined
      ? {}
      : { tls: { mode: MODES[everyone.value.mode ?? "none"], ...connectionsOf(everyone.value) } },
  outbound: (conf, { tls }) => (tls === undefined ? {} : { tls: connectionsOf(conf) }),
});

const MODES = { Strict: "strict", Permissive: "permissive", none: undefined } as const;

function connectionsOf({ tlsVersion = {}, tlsCiphers = [] }: TlsConf): TlsSettings {
  return {
    minVersion: VERSIONS[tlsVersion.min ?? "TLSAuto"],
    maxVersion: VERSIONS[tlsVersion.max ?? "TLSAuto"],
    ciphers: tlsCiphers.length === 0 ? undefined : [...new Set(tlsCiphers.flatMap(forEitherKey))],
  };
}

const VERSIONS: Readonly<Record<Version, TlsVersion | undefined>> = {
  TLSAuto: undefined,
  TLS10: "1.0",
  TLS11: "1.1",
  TLS12: "1.2",
  TLS13: "1.3",
};

// Whether a cipher is of the RSA or the ECDSA kind is a matter of the certificate's key, which the mesh chooses (Kuma's
// are RSA, ours ECDSA) and not who writes a policy: with one kind alone, no two proxies might find a cipher in common.
function forEitherKey(cipher: string): readonly string[] {
  const other = cipher.includes("-RSA-") ? cipher.replace("-RSA-", "-ECDSA-") : cipher.replace("-ECDSA-", "-RSA-");
  return [cipher, other];
}
