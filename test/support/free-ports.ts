import { createServer } from "node:net";

/** Ports on loopback that nobody uses now. All are held until the last one is found, so none comes twice. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      server.once("error", reject).listen(0, "127.0.0.1", resolve);
      await promise;
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** One such port. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}
