import { createConnection, type Socket } from "node:net";
import type { Sink } from "./queue.ts";

const PATIENCE = 5_000;

/**
 * A JSON object a line over one TCP connection, made anew when it broke. TCP tells nobody that a line was read: what was
 * under way when the connection broke may be missing or there twice.
 */
export function tcpSink(address: string): Sink {
  const at = address.lastIndexOf(":");
  const [host, port] = [address.slice(0, at).replace(/^\[|\]$/g, ""), Number(address.slice(at + 1))];
  let socket: Socket | undefined;
  const connected = async (): Promise<Socket> => {
    if (socket?.writable === true) return socket;
    socket?.destroy();
    socket = createConnection({ host, port }).setKeepAlive(true);
    // Nothing is expected from the other side; read, so that its end is noticed.
    socket.resume().on("error", () => {});
    return socket;
  };
  return {
    name: `${host}:${port}`,
    write: async (lines) => {
      const current = await connected();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const fail = (cause?: Error): void => reject(cause ?? new Error("the connection was closed"));
      const timer = setTimeout(() => fail(new Error("nobody takes the records")), PATIENCE);
      current.once("error", fail).once("close", fail);
      current.write(`${lines.join("\n")}\n`, (error) => (error ? reject(error) : resolve()));
      try {
        await promise;
      } catch (error) {
        current.destroy();
        throw error;
      } finally {
        clearTimeout(timer);
        current.off("error", fail).off("close", fail);
      }
    },
    [Symbol.asyncDispose]: async () => {
      socket?.destroy();
    },
  };
}
