import { createServer, get } from "node:http";
import { listen } from "./test-control-plane.ts";

/** An application that answers /slow after `slowMs`, everything else at once. */
export interface TestApplication extends AsyncDisposable {
  readonly port: number;
  /** Settles when a request for /slow has arrived. */
  readonly slowStarted: Promise<void>;
}

/** Starts an application on a free port of loopback. */
export async function startApplication(slowMs: number): Promise<TestApplication> {
  const slow = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    if (request.url !== "/slow") return response.end("quick");
    slow.resolve();
    return setTimeout(() => response.end("slow but whole"), slowMs);
  });
  const port = await listen(server);
  return {
    port,
    slowStarted: slow.promise,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An answer, with what it says about its connection. */
export interface Fetched {
  readonly status: number;
  readonly text: string;
  readonly connection: string | undefined;
}

/** Asks for a path on loopback; rejects when the connection breaks. */
export function fetchPath(port: number, path: string): Promise<Fetched> {
  return new Promise((resolve, reject) => {
    const asked = get({ host: "127.0.0.1", port, path, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, text, connection: response.headers.connection }),
      );
    });
    asked.on("error", reject);
  });
}
