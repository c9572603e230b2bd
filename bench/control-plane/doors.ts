import { createServer, type Server } from "node:net";
import { INBOUND_PORT, type Instance } from "./topology.ts";

/**
 * The open ports of instances, each at its own loopback address. A control plane that misses a proxy looks whether its port
 * still answers before it takes it out of load balancing; closed ones would make every slow return a crowd of crashes.
 */
export async function openDoors(instances: readonly Instance[]): Promise<Disposable> {
  const servers = await Promise.all(instances.map(({ address }) => open(address)));
  return { [Symbol.dispose]: () => void servers.map((server) => server.close()) };
}

async function open(host: string): Promise<Server> {
  const server = createServer((socket) => socket.on("error", () => undefined).end());
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject).listen({ host, port: INBOUND_PORT }, resolve);
  await promise;
  return server.unref();
}
