import type { RequestListener, Server } from "node:http";
import { authorizer } from "./access/authorizer.ts";
import { followAccess } from "./access/follow-access.ts";
import { auditor } from "./audit/audit-request.ts";
import { listen, type Listening, type ListenOptions } from "./http/listen.ts";
import type { Route } from "./http/route.ts";
import { requestListener } from "./http/serve.ts";
import type { Ports } from "./ports.ts";
import { apiRoutes } from "./routes.ts";
import { type ApiSettings, DEFAULT_SETTINGS } from "./settings.ts";

/** The REST API, ready to be reached under any number of ports. */
export interface Api extends AsyncDisposable {
  readonly routes: readonly Route[];
  /** For a server of one's own. */
  readonly handler: RequestListener;
  /** Opens a port for HTTP, or HTTPS with `tls`. Throws ListenError. */
  listen(options: ListenOptions): Promise<Listening>;
  /** Takes no new request, ends long polls, lets the others finish within the grace, then cuts what is left. */
  close(): Promise<void>;
}

/** Builds the REST API over the given parts of the control plane. Nothing listens yet. */
export async function createApi(ports: Ports, settings: ApiSettings = DEFAULT_SETTINGS): Promise<Api> {
  const closing = new AbortController();
  const access = await followAccess(ports.store, (cause) => {
    ports.reportFailure?.("Cannot follow the roles in the store any more", cause);
  });
  const who = authorizer(settings, access);
  const routes = apiRoutes(ports, settings, who);
  const handler = await requestListener({
    ports,
    settings,
    routes,
    authorizer: who,
    audit: auditor(ports, access),
    closing: closing.signal,
  });
  const servers: Server[] = [];
  const close = async (): Promise<void> => {
    closing.abort(new Error("the control plane stops"));
    await Promise.all(servers.splice(0).map((server) => closeServer(server, settings.closeGrace)));
    await access[Symbol.asyncDispose]();
  };
  return {
    routes,
    handler,
    listen: async (options) => {
      const listening = await listen(handler, options, settings.timeouts);
      servers.push(listening.server);
      return listening;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function closeServer(server: Server, grace: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), grace);
  await promise;
  clearTimeout(cut);
}
