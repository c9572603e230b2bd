import { randomInt } from "node:crypto";
import { createServer, type Server } from "node:net";

// Below the ports that Linux gives to connections and to whoever listens on port 0 (ip_local_port_range starts at
// 32768), so that nothing else takes one between here and its use.
const FIRST = 10_000;
const LAST = 32_000;

/** Ports on loopback that nobody uses now. All are held until the last one is found, so none comes twice. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, async () => await listenAnywhere()));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** One such port. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

async function listenAnywhere(): Promise<Server> {
  for (;;) {
    const server = await listenAt(randomInt(FIRST, LAST));
    if (server !== undefined) return server;
  }
}

async function listenAt(port: number): Promise<Server | undefined> {
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<Server | undefined>();
  server.once("error", (error: NodeJS.ErrnoException) =>
    error.code === "EADDRINUSE" ? resolve(undefined) : reject(error),
  );
  server.listen(port, "127.0.0.1", () => resolve(server));
  return await promise;
}
