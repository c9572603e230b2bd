import { isIP } from "node:net";
import type { Admin } from "../bootstrap/admin-address.ts";
import { keyExchangesOf } from "../proxies/key-exchanges.ts";

/** What a connected proxy said about its Envoy's admin interface. */
export interface AdminTarget {
  /** Where the interface itself listens, on the proxy's machine alone. */
  readonly admin: Admin;
  /** The port on the Dataplane's address that the launcher set aside for control planes. */
  readonly inspectPort?: number;
  /** What its Envoy is to be told to agree on keys with. */
  readonly keyExchanges?: readonly string[];
}

/** The key of the node's metadata for `inspectPort`; Kuma has none, its proxies open the admin port itself. */
export const INSPECT_PORT = "dataplane.inspect.port";

/** Reads the metadata of a node; undefined when it names no admin interface, or none that makes sense. */
export function adminTarget(metadata: Readonly<Record<string, unknown>>): AdminTarget | undefined {
  const admin = adminIn(metadata);
  if (admin === undefined) return undefined;
  const inspectPort = portOf(metadata[INSPECT_PORT]);
  const keyExchanges = keyExchangesOf(metadata);
  return {
    admin,
    ...(inspectPort === undefined ? {} : { inspectPort }),
    ...(keyExchanges === undefined ? {} : { keyExchanges }),
  };
}

function adminIn(metadata: Readonly<Record<string, unknown>>): Admin | undefined {
  const path = metadata["dataplane.admin.socketPath"];
  const port = portOf(metadata["dataplane.admin.port"]);
  if (typeof path === "string" && path !== "") return { kind: "socket", path };
  if (port === undefined) return undefined;
  const address = metadata["dataplane.admin.address"];
  return { kind: "port", address: typeof address === "string" && isIP(address) !== 0 ? address : "127.0.0.1", port };
}

/** Numbers are text in the metadata. */
function portOf(value: unknown): number | undefined {
  const port = typeof value === "string" && /^\d{1,5}$/.test(value) ? Number(value) : 0;
  return port > 0 && port <= 65_535 ? port : undefined;
}

/**
 * Where control planes find the proxy: the port that the launcher set aside, else Kuma's way, the admin port on the
 * Dataplane's own address. Undefined when there is neither: on loopback and on wildcards the admin interface has that
 * port already.
 */
export function inspectAddress(
  { admin, inspectPort }: AdminTarget,
  address: string,
): { readonly address: string; readonly port: number } | undefined {
  if (isIP(address) === 0) return undefined;
  if (inspectPort !== undefined) return { address, port: inspectPort };
  const isTaken = /^(127\.|0\.0\.0\.0$|::1?$)/.test(address);
  return admin.kind === "port" && !isTaken ? { address, port: admin.port } : undefined;
}
