import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** What every demo service is told by its environment. */
export interface ServiceEnvironment {
  readonly name: string;
  readonly port: number;
  /** Where the next service is reached: a port of this service's own sidecar. Empty for the last one. */
  readonly upstream: string;
}

/** Reads the environment that the demo starts a service with. */
export function serviceEnvironment(): ServiceEnvironment {
  return {
    name: process.env["SERVICE_NAME"] ?? "service",
    port: Number(process.env["SERVICE_PORT"] ?? 0),
    upstream: process.env["SERVICE_UPSTREAM"] ?? "",
  };
}

/** Serves a handler on loopback until SIGTERM; requests in flight are finished first. */
export function serve(
  port: number,
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): void {
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      response.writeHead(502, { "content-type": "text/plain" }).end(String(error));
    });
  });
  // Longer than the sidecar keeps an idle connection, so that it never picks one that is being closed here.
  server.keepAliveTimeout = 7_200_000;
  server.listen(port, "127.0.0.1");
  process.once("SIGTERM", () => server.close(() => process.exit(0)));
}
