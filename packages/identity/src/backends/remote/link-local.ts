import { lookup, type LookupAddress, type LookupOptions } from "node:dns";
import { BlockList, isIP, isIPv6 } from "node:net";

/**
 * Where clouds tell machines about themselves, credentials included. Whoever names an authority for a mesh must not have
 * the control plane ask there. Loopback stays allowed: an agent of Vault on the same machine is usual.
 */
const NEVER = new BlockList();
NEVER.addSubnet("169.254.0.0", 16, "ipv4");
NEVER.addSubnet("fe80::", 10, "ipv6");
// Metadata of AWS, of Google and of Alibaba Cloud.
NEVER.addAddress("fd00:ec2::254", "ipv6");
NEVER.addAddress("fd20:ce::254", "ipv6");
NEVER.addAddress("100.100.100.200", "ipv4");

/** Throws for a URL whose host is such an address itself; names are looked at when they are looked up. */
export function refuseLinkLocal(url: string): void {
  const host = new URL(url).hostname.replaceAll(/^\[|\]$/g, "");
  if (isIP(host) !== 0) refuse(host, host);
}

type Found = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/** Looks a name up as usual, for the connection that is made then; fails when it leads to such an address. */
export function lookupOutsideLinkLocal(hostname: string, options: LookupOptions, found: Found): void {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return found(error, []);
    try {
      for (const { address } of addresses) refuse(hostname, address);
    } catch (cause) {
      return found(cause as Error, []);
    }
    const [first] = addresses;
    if (options.all === true || first === undefined) found(null, addresses);
    else found(null, first.address, first.family);
  });
}

function refuse(host: string, address: string): void {
  if (!NEVER.check(address, isIPv6(address) ? "ipv6" : "ipv4")) return;
  throw new Error(
    `"${host}" is ${host === address ? "" : `${address}, `}a link-local or metadata address, where no authority is`,
  );
}
