import { createPublicKey, type webcrypto } from "node:crypto";
import { BlockList, isIP } from "node:net";
import { httpUrl } from "@heddle/engine/emit/collector.ts";
import { pemFacts } from "@heddle/model/pem.ts";
import type { Violation } from "@heddle/model/violation.ts";
import type { RemoteJwks } from "./schema.ts";

type JsonWebKey = webcrypto.JsonWebKey;

/** What is wrong with keys that a policy has in it. */
export function checkInlineJwks(text: string, field: string): Violation[] {
  const keys = keysOf(text);
  if (keys === undefined) return [{ field, message: 'must be JSON such as {"keys": [{"kty": "RSA", ...}]}' }];
  if (keys.length === 0) return [{ field, message: "must have at least one key" }];
  return keys.flatMap((key, index) => {
    const wrong = wrongWith(key);
    return wrong === undefined ? [] : [{ field, message: `${wrong} (key ${index + 1})` }];
  });
}

function keysOf(text: string): readonly JsonWebKey[] | undefined {
  try {
    const { keys } = JSON.parse(text) as { readonly keys?: unknown };
    return Array.isArray(keys) ? (keys as JsonWebKey[]) : undefined;
  } catch {
    return undefined;
  }
}

function wrongWith(key: JsonWebKey | null): string | undefined {
  if (typeof key !== "object" || key === null) return "must have objects as keys";
  if (key.kty === "oct") return "must not have symmetric keys: whoever may read the policy could make tokens";
  if (key.d !== undefined) return "must not have private keys: whoever may read the policy could make tokens";
  try {
    createPublicKey({ key, format: "jwk" });
    return undefined;
  } catch {
    return "must have public keys of type RSA, EC or OKP";
  }
}

/** What is wrong with where keys are to be fetched: proxies would ask there on behalf of whoever wrote the policy. */
export function checkRemoteJwks(remote: RemoteJwks, field: string): Violation[] {
  const { url, caCertificate, allowPrivateAddress = false, allowPlainText = false } = remote;
  const read = httpUrl(url);
  if (read === undefined) {
    return [
      { field: `${field}.url`, message: 'must be a URL such as "https://issuer.example.com/.well-known/jwks.json"' },
    ];
  }
  const isPrivate = !allowPrivateAddress && isInside(read.host);
  return [
    ...(read.tls || allowPlainText
      ? []
      : [{ field: `${field}.url`, message: "must be https, unless allowPlainText says otherwise" }]),
    ...(isPrivate
      ? [
          {
            field: `${field}.url`,
            message: `must not point at ${read.host}, unless allowPrivateAddress says otherwise`,
          },
        ]
      : []),
    ...(caCertificate === undefined || pemFacts(caCertificate).certificate
      ? []
      : [{ field: `${field}.caCertificate`, message: "must be certificates in PEM" }]),
  ];
}

// A name that leads to such an address meets nobody there with a certificate for it.
function isInside(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return INSIDE_NAMES.test(host.replace(/\.$/, ""));
  return INSIDE.check(host, family === 4 ? "ipv4" : "ipv6");
}

const INSIDE_NAMES = /(^|\.)(localhost|internal|local)$/i;

// The registries of special purpose addresses: RFC 6890 and what followed. IPv6 forms of IPv4 addresses count as these.
const INSIDE = new BlockList();
for (const [network, bits] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["224.0.0.0", 3],
] as const) {
  INSIDE.addSubnet(network, bits, "ipv4");
}
for (const [network, bits] of [
  ["::", 96],
  ["64:ff9b::", 96],
  ["64:ff9b:1::", 48],
  ["2002::", 16],
  ["fc00::", 7],
  ["fe80::", 10],
  ["fec0::", 10],
  ["ff00::", 8],
] as const) {
  INSIDE.addSubnet(network, bits, "ipv6");
}
