import type { Server } from "node:http";
import { listenFailure } from "@heddle/api/http/listen.ts";
import type { Registry } from "prom-client";
import { createHttpServer } from "../tls/create-http-server.ts";
import type { PortTls } from "../tls/server-tls.ts";

export interface DiagnosticsOptions {
  readonly host: string;
  readonly port: number;
  /** Makes it HTTPS. */
  readonly tls?: PortTls | undefined;
  readonly registry: Registry;
}

/** Serves health, readiness and metrics. No authentication: there is nothing secret, and probes have no credentials. */
export async function serveDiagnostics(
  options: DiagnosticsOptions,
): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createHttpServer(options.tls, (request, response) => {
    // Not by URL, which throws for "//": nobody catches what is thrown here.
    const [path] = (request.url ?? "/").split("?");
    const answer = (status: number, body: string, type = "text/plain; charset=utf-8"): void => {
      response.writeHead(status, { "content-type": type }).end(body);
    };
    if (request.method !== "GET" && request.method !== "HEAD") return answer(405, "only GET is served here\n");
    switch (path) {
      // This port opens last, so whoever gets an answer finds everything else running.
      case "/healthy":
      case "/ready":
        return answer(200, "OK\n");
      case "/metrics":
        void options.registry.metrics().then(
          (text) => answer(200, text, options.registry.contentType),
          () => answer(500, "cannot collect the metrics\n"),
        );
        return;
      default:
        return answer(404, "served here: /healthy, /ready, /metrics\n");
    }
  });
  server.requestTimeout = 10_000;
  await listening(server, options);
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : options.port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      await promise;
    },
  };
}

async function listening(server: Server, { host, port }: DiagnosticsOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ host, port }, () => resolve());
  try {
    await promise;
  } catch (cause) {
    throw await listenFailure(cause, {
      host,
      port,
      setting: "--diagnostics-port / HEDDLE_DIAGNOSTICS_SERVER_PORT",
    });
  }
}
