import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";
import type { Resource } from "@heddle/model/resource.ts";

/** Finds the IP address of a host name; throws when there is none. */
export type Lookup = (host: string) => Promise<string>;

/** As this machine resolves names: hosts file, then DNS; IPv4 first, since that is what most listeners have. */
export const systemLookup: Lookup = async (host) => (await lookup(host, { order: "ipv4first" })).address;

/** Whether a Dataplane names a host where Envoy needs an IP address: for its listeners and as an endpoint of others. */
export function namesHosts({ spec }: Resource<DataplaneSpec>): boolean {
  return hostsOf(spec).length > 0;
}

/** The Dataplane with IP addresses instead of host names. What is stored keeps the names; they may move. */
export async function withAddresses(
  dataplane: Resource<DataplaneSpec>,
  find: Lookup,
): Promise<Resource<DataplaneSpec>> {
  const addresses = new Map<string, string>();
  for (const host of hostsOf(dataplane.spec)) addresses.set(host, await find(host));
  const { networking } = dataplane.spec;
  const { address, advertisedAddress } = networking;
  return {
    ...dataplane,
    spec: {
      ...dataplane.spec,
      networking: {
        ...networking,
        address: addresses.get(address) ?? address,
        ...(advertisedAddress === undefined
          ? {}
          : { advertisedAddress: addresses.get(advertisedAddress) ?? advertisedAddress }),
      },
    },
  };
}

function hostsOf({ networking: { address, advertisedAddress } }: DataplaneSpec): readonly string[] {
  return [address, ...(advertisedAddress === undefined ? [] : [advertisedAddress])].filter((host) => isIP(host) === 0);
}
