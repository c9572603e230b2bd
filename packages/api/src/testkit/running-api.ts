import { createApi } from "../server.ts";
import { type ApiSettings, DEFAULT_SETTINGS } from "../settings.ts";
import type { Ports } from "../ports.ts";
import { fakePorts } from "./fake-ports.ts";
import { call, type Call, type Reply } from "./http-client.ts";

/** An API that listens on a free port of the loopback, until it is disposed of. */
export interface RunningApi extends AsyncDisposable {
  readonly url: string;
  readonly ports: Ports;
  call(method: string, path: string, options?: Call): Promise<Reply>;
}

/** Starts an API over fake ports. */
export async function startApi(ports: Partial<Ports> = {}, settings: Partial<ApiSettings> = {}): Promise<RunningApi> {
  const all = await fakePorts(ports);
  const api = await createApi(all, { ...DEFAULT_SETTINGS, closeGrace: 200, ...settings });
  const { url } = await api.listen({ host: "127.0.0.1", port: 0 });
  return {
    url,
    ports: all,
    call: (method, path, options) => call(url, method, path, options),
    async [Symbol.asyncDispose]() {
      await api.close();
      await all.store[Symbol.asyncDispose]();
    },
  };
}

/** A Dataplane with one inbound, as a user writes it. */
export function proxyDocument(name: string, change: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    type: "Dataplane",
    mesh: "default",
    name,
    networking: {
      address: "192.0.2.1",
      inbound: [{ port: 8_080, servicePort: 80, tags: { "kuma.io/service": name, version: "v1" } }],
    },
    ...change,
  };
}
