/** Suites of TLS 1.3 (RFC 8446, appendix B.4). All are good and none can be left out: clients choose among them. */
const TLS_1_3 = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"] as const;

/** Suites of TLS 1.2 with a fresh key for each connection and authenticated encryption, IANA's names to OpenSSL's. */
const TLS_1_2: Readonly<Record<string, string>> = {
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: "ECDHE-ECDSA-AES128-GCM-SHA256",
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: "ECDHE-RSA-AES128-GCM-SHA256",
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: "ECDHE-ECDSA-AES256-GCM-SHA384",
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: "ECDHE-RSA-AES256-GCM-SHA384",
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-ECDSA-CHACHA20-POLY1305",
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-RSA-CHACHA20-POLY1305",
};

/** Names that Go, and so Kuma's users, write for the last two. */
const ALIASES: Readonly<Record<string, string>> = {
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
};

/** The suites in OpenSSL's form; all that are good when none is named. Throws when one is not to be had, naming `setting`. */
export function cipherList(names: readonly string[], setting: string): string {
  const chosen = names
    .filter((name) => !TLS_1_3.some((each) => each === name))
    .map((name) => opensslName(name, setting));
  // Those of TLS 1.3 stay: OpenSSL takes the version away when none is there.
  return [...TLS_1_3, ...(chosen.length === 0 ? Object.values(TLS_1_2) : chosen)].join(":");
}

function opensslName(name: string, setting: string): string {
  const known = TLS_1_2[ALIASES[name] ?? name];
  if (known !== undefined) return known;
  const weak = /_CBC_|^TLS_RSA_|_RC4_|_3DES_/.test(name) ? "it is weak" : "it is not known";
  throw new Error(
    `Cannot use cipher suite "${name}" of ${setting}: ${weak}; choose among ${Object.keys(TLS_1_2).join(", ")}`,
  );
}
