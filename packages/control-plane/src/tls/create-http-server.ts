import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { PortTls } from "./server-tls.ts";

/** A server for HTTP, or HTTPS whose certificate follows its files. */
export function createHttpServer(tls: PortTls | undefined, listener: RequestListener): Server {
  if (tls === undefined) return createServer(listener);
  const server = createTlsServer(tls.options(), listener);
  tls.onChange(() => server.setSecureContext(tls.options()));
  return server;
}
