import { hash } from "node:crypto";
import { isIP } from "node:net";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import * as x509 from "@peculiar/asn1-x509";

/** What a certificate may be used for in TLS. */
export type Usage = "server" | "client";

/** Names and addresses that a certificate stands for. URIs are SPIFFE IDs and Kuma's `kuma://` tags. */
export interface AlternativeNames {
  readonly uris?: readonly string[] | undefined;
  readonly dnsNames?: readonly string[] | undefined;
  readonly ips?: readonly string[] | undefined;
}

export type KeyUsage = "digitalSignature" | "keyEncipherment" | "keyCertSign" | "cRLSign";

/** Whether the certificate may issue others. */
export function basicConstraints(isCa: boolean): Uint8Array {
  return extension(x509.id_ce_basicConstraints, true, new x509.BasicConstraints({ cA: isCa }));
}

/** What the key itself may do. */
export function keyUsage(usages: readonly KeyUsage[]): Uint8Array {
  const flags = usages.reduce((bits, usage) => bits | x509.KeyUsageFlags[usage], 0);
  return extension(x509.id_ce_keyUsage, true, new x509.KeyUsage(flags));
}

/** Which side of a TLS connection may present the certificate. */
export function extendedKeyUsage(usages: readonly Usage[]): Uint8Array {
  return extension(x509.id_ce_extKeyUsage, false, new x509.ExtendedKeyUsage(usages.map((usage) => PURPOSES[usage])));
}

/**
 * The names a peer checks. Critical when the subject is empty (RFC 5280 section 4.2.1.6). Throws when a name cannot be
 * written down: the standard allows ASCII only, and nothing in a mesh needs spaces.
 */
export function subjectAlternativeName(names: AlternativeNames, critical: boolean): Uint8Array {
  const all = [
    ...(names.uris ?? []).map((uri) => new x509.GeneralName({ uniformResourceIdentifier: printable(uri) })),
    ...(names.dnsNames ?? []).map((name) => new x509.GeneralName({ dNSName: printable(name) })),
    ...(names.ips ?? []).map((ip) => new x509.GeneralName({ iPAddress: canonicalIp(ip) })),
  ];
  return extension(x509.id_ce_subjectAltName, critical, new x509.SubjectAlternativeName(all));
}

/** Names the key of this certificate, so that chains are found quickly. */
export function subjectKeyIdentifier(identifier: Uint8Array): Uint8Array {
  return extension(x509.id_ce_subjectKeyIdentifier, false, new x509.SubjectKeyIdentifier(identifier));
}

/** Names the key that signed this certificate. */
export function authorityKeyIdentifier(identifier: Uint8Array): Uint8Array {
  const keyIdentifier = new x509.KeyIdentifier(identifier);
  return extension(x509.id_ce_authorityKeyIdentifier, false, new x509.AuthorityKeyIdentifier({ keyIdentifier }));
}

/** An identifier for a public key: the first 160 bits of SHA-256, since SHA-1 is refused in FIPS mode (RFC 7093). */
export function keyIdentifierOf(publicKey: Uint8Array): Uint8Array {
  return hash("sha256", publicKey, "buffer").subarray(0, 20);
}

const PURPOSES: Readonly<Record<Usage, string>> = { server: x509.id_kp_serverAuth, client: x509.id_kp_clientAuth };

function extension(extnID: string, critical: boolean, value: object): Uint8Array {
  const extnValue = new OctetString(AsnConvert.serialize(value));
  return new Uint8Array(AsnConvert.serialize(new x509.Extension({ extnID, critical, extnValue })));
}

function printable(name: string): string {
  if (/^[\x21-\x7e]+$/.test(name)) return name;
  throw new Error(`Cannot put ${JSON.stringify(name)} into a certificate: only visible ASCII characters are allowed`);
}

/** The library reads IPv6 in groups of hexadecimal only, so the forms that end like IPv4 are rewritten for it. */
function canonicalIp(ip: string): string {
  if (isIP(ip) === 0) throw new Error(`Cannot put ${JSON.stringify(ip)} into a certificate: it is no IP address`);
  return isIP(ip) === 4 ? ip : new URL(`http://[${ip}]`).hostname.slice(1, -1);
}
