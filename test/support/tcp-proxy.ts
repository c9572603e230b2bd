import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { Ending } from "./lab.ts";

/** What becomes of connections: they are carried on, nothing comes back, or they end at once. */
export type Line = "open" | "silent" | "cut";

/** Something between a client and a server that can be told to misbehave. */
export interface TcpProxy {
  readonly port: number;
  line: Line;
  /** HTTP/1.1 requests that clients began to send since it started. */
  readonly requests: number;
}

/** A proxy in front of a port of this machine. Ends with the test. */
export async function tcpProxy(t: Ending, target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let line: Line = "open";
  let requests = 0;
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => undefined).once("close", () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    keep(client);
    if (line === "cut") return client.destroy();
    const upstream = connect(target, "127.0.0.1");
    keep(upstream);
    client.on("data", (chunk: Buffer) => {
      requests += chunk.toString("latin1").split(" HTTP/1.1\r\n").length - 1;
      if (line === "open") upstream.write(chunk);
    });
    upstream.on("data", (chunk) => line === "open" && client.write(chunk));
    client.once("close", () => upstream.destroy());
    return void upstream.once("close", () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    get line() {
      return line;
    },
    set line(wanted) {
      line = wanted;
      if (line === "cut") for (const socket of sockets) socket.destroy();
    },
    get requests() {
      return requests;
    },
  };
}
