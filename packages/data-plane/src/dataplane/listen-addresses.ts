import { isIP } from "node:net";
import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";

/** An address that Envoy is going to listen on, and what it is for in the user's words. */
export interface ListenAddress {
  readonly address: string;
  readonly port: number;
  readonly purpose: string;
  /** What the user changes when somebody else is there. */
  readonly change: string;
}

/** Where a Dataplane makes Envoy listen. Empty under transparent proxying, and for host names, which Envoy resolves. */
export function listenAddresses(networking: DataplaneSpec["networking"] | undefined): readonly ListenAddress[] {
  // Under transparent proxying only the redirect ports are bound, and iptables sends everything there.
  if (networking === undefined || networking.transparentProxying !== undefined) return [];
  const inbounds = (networking.inbound ?? []).flatMap((each, index) => {
    if (each.state === "Ignored") return [];
    return {
      address: each.address ?? networking.address,
      port: each.port,
      purpose: `inbound ${each.name ?? each.port}`,
      change: `networking.inbound[${index}].port (the application keeps its own port in servicePort)`,
    };
  });
  const outbounds = (networking.outbound ?? []).map((each, index) => ({
    address: each.address ?? "127.0.0.1",
    port: each.port,
    purpose: `outbound ${each.backendRef?.name ?? each.tags?.["kuma.io/service"] ?? each.port}`,
    change: `networking.outbound[${index}].port`,
  }));
  const zone = (networking.listeners ?? []).map((each, index) => ({
    address: each.address ?? networking.address,
    port: each.port,
    purpose: each.type,
    change: `networking.listeners[${index}].port`,
  }));
  return [...inbounds, ...outbounds, ...zone].filter(({ address }) => isIP(address) !== 0);
}
