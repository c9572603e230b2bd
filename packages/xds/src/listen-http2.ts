import type { Http2SecureServer } from "node:http2";
import type { AddressInfo } from "node:net";

/** Opens the port and gives its number. Throws with the address and what is wrong with it. */
export function listenHttp2(
  server: Http2SecureServer,
  { host, port }: { readonly host?: string; readonly port: number },
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const state = cause.code === "EADDRINUSE" ? "the port is in use" : cause.message;
      reject(new Error(`Cannot listen on "${host ?? "*"}:${port}": ${state}`, { cause }));
    });
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.removeAllListeners("error");
      server.on("error", () => undefined);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Keeps an item in a set for as long as it is open. */
export function track<Item extends { once(event: "close", listener: () => void): unknown }>(
  set: Set<Item>,
  item: Item,
): void {
  set.add(item);
  item.once("close", () => set.delete(item));
}
