import type { BootstrapRequest } from "./bootstrap-request.ts";

/** Where Envoy's admin interface listens. */
export type Admin =
  | { readonly kind: "socket"; readonly path: string }
  | { readonly kind: "port"; readonly address: string; readonly port: number };

const SOCKET_NAME = "kuma-envoy-admin.sock";
const DEFAULT_PORT = 9901;
/** Bytes in `sockaddr_un.sun_path` on Linux, less the closing zero. */
const MAX_SOCKET_PATH = 107;

/**
 * A port, when one was asked for; else a unix socket in the launcher's work directory, which the file system guards;
 * else, for a launcher that names no work directory or one too deep for a socket, Kuma's port on loopback.
 */
export function adminOf(request: BootstrapRequest, dataplanePort?: number): Admin {
  const port = request.adminPort ?? dataplanePort;
  if (port !== undefined) return { kind: "port", address: "127.0.0.1", port };
  const path = request.workdir === undefined ? undefined : `${request.workdir}/${SOCKET_NAME}`;
  return path === undefined || Buffer.byteLength(path) > MAX_SOCKET_PATH
    ? { kind: "port", address: "127.0.0.1", port: DEFAULT_PORT }
    : { kind: "socket", path };
}
