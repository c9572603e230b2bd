import type { AddressRange } from "@heddle/engine/plan/passthrough.ts";
import ipaddr from "ipaddr.js";

/** Reads "10.1.2.3" as a range of one. Undefined when it is no IP. */
export function readIp(text: string): AddressRange | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return { address: ipaddr.IPv4.parse(text).toString(), prefix: 32 };
  return text.includes(":") && isPlainIpv6(text)
    ? { address: ipaddr.IPv6.parse(text).toString(), prefix: 128 }
    : undefined;
}

/** Reads "10.1.2.3/8" as the range 10.0.0.0/8. Undefined when it is no range. */
export function readCidr(text: string): AddressRange | undefined {
  const [ip = "", bits = "", ...more] = text.split("/");
  if (more.length > 0 || !/^\d{1,3}$/.test(bits)) return undefined;
  const one = readIp(ip);
  const prefix = Number(bits);
  if (one === undefined || prefix > one.prefix) return undefined;
  const network =
    one.prefix === 32 ? ipaddr.IPv4.networkAddressFromCIDR(text) : ipaddr.IPv6.networkAddressFromCIDR(text);
  return { address: network.toString(), prefix };
}

/** A domain without the dot that ends it, in lower case; undefined when it is none. "*" and "*.example.com" are. */
export function readDomain(text: string): string | undefined {
  const plain = text.toLowerCase().replace(/\.$/, "");
  const rest = plain.replace(/^\*\./, "");
  if (rest === "*") return rest === plain ? plain : undefined;
  return DNS_NAME.test(rest) && readIp(rest) === undefined ? plain : undefined;
}

const DNS_NAME = /^[a-z0-9_][a-z0-9_-]{0,62}(\.[a-z0-9_][a-z0-9_-]{0,62})*$/;

// A zone ("%eth0") means something on one machine only.
function isPlainIpv6(text: string): boolean {
  return !text.includes("%") && ipaddr.IPv6.isValid(text);
}
