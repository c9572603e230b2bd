import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { CliError } from "../cli-error.ts";

/** Where the browser comes back to: this machine alone can reach it (RFC 8252, section 7.3). */
export interface Callback extends AsyncDisposable {
  readonly url: string;
  /** The address that the browser came back with; a request with another `state` is turned away. */
  arrival(state: string, signal: AbortSignal): Promise<URL>;
}

/** Listens on loopback; port 0 takes a free one. */
export async function listenForCallback(port: number): Promise<Callback> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(new CliError(`Cannot listen on port ${port}: ${cause.message}`, { next: ["Use another --port"], cause })),
    );
    server.listen(port, "127.0.0.1", resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`;
  return {
    url,
    arrival: (state, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
        server.on("request", (request, response) => {
          const arrived = new URL(request.url ?? "/", url);
          const isOurs = arrived.pathname === "/callback" && arrived.searchParams.get("state") === state;
          answer(response, isOurs);
          if (isOurs) response.once("close", () => resolve(arrived));
        });
      }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(response: ServerResponse, isOurs: boolean): void {
  response.writeHead(isOurs ? 200 : 400, {
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    connection: "close",
  });
  response.end(isOurs ? "Heddle goes on in the terminal. You can close this page.\n" : "This is no login of Heddle.\n");
}
