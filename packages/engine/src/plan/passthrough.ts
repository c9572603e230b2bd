import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";

/**
 * What a proxy does with connections of its application that were redirected to it and go to an address that none of its
 * outbounds stands for. All: they go where they would have gone. None: they are closed.
 */
export type Passthrough =
  | { readonly mode: "all" }
  | { readonly mode: "none" }
  | {
      readonly mode: "matched";
      /** Looked at one after the other; the first that fits takes the connection. What fits none is closed. */
      readonly chains: readonly PassthroughChain[];
      readonly clusters: readonly PassthroughCluster[];
      /** Ports where the server speaks first, so that nobody may wait for the client's first bytes. */
      readonly uninspectedPorts: readonly number[];
    };

/** Some connections, and where they go. */
export interface PassthroughChain {
  readonly name: string;
  /** All that is said must fit. */
  readonly when: {
    readonly port?: number | undefined;
    readonly range?: AddressRange | undefined;
    /** TLS; with a name, only for that server. "*.example.com" is every name below example.com. */
    readonly tls?: { readonly serverName?: string | undefined } | undefined;
    /** HTTP that can be read. */
    readonly http?: boolean | undefined;
  };
  readonly to: { readonly cluster: string } | { readonly hosts: readonly PassthroughHost[]; readonly others?: string };
}

/** Addresses that begin alike. */
export interface AddressRange {
  readonly address: string;
  readonly prefix: number;
}

/** Requests by their Host header, and the cluster that gets them. Requests for others are answered with 503. */
export interface PassthroughHost {
  readonly name: string;
  readonly domains: readonly string[];
  readonly cluster: string;
}

/** Where connections go: to the address that the application called, or to one that the proxy looks up itself. */
export interface PassthroughCluster {
  readonly name: string;
  readonly http2: boolean;
  readonly pinned?: { readonly host: string; readonly port: number } | undefined;
}

type Networking = DataplaneSpec["networking"];

/** The port that connections of the application are redirected to; undefined when they are not. */
export function redirectedOutboundPort({ transparentProxying }: Networking): number | undefined {
  return transparentProxying?.redirectPortOutbound;
}

/** The same for connections to the application. */
export function redirectedInboundPort({ transparentProxying }: Networking): number | undefined {
  return transparentProxying?.redirectPortInbound;
}

/** Which families of addresses are redirected. */
export function redirectedFamilies({ transparentProxying }: Networking): readonly (4 | 6)[] {
  return transparentProxying?.ipFamilyMode === "IPv4" ? [4] : [4, 6];
}

/** Whether an address is the machine's own, where nothing is redirected and a listener has to bind its port. */
export function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1" || address === "localhost";
}
