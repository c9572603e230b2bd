import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Ending } from "./lab.ts";

/** An application of a test, on loopback. */
export interface Application {
  readonly port: number;
  readonly server: Server;
}

/** Starts an HTTP application that ends with the test. Default: answers with its name. */
export async function application(
  t: Ending,
  name: string,
  handle: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) =>
    void response.end(name),
): Promise<Application> {
  const server = createServer(handle);
  // Never the one to close an idle connection: that race is not what these tests are about.
  server.keepAliveTimeout = 3_600_000;
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as { port: number }).port, server };
}
