import { encodeBytes } from "@heddle/envoy/encode-resource.ts";
import type { ResourceSet } from "@heddle/xds/resource.ts";
import { serveXds } from "@heddle/xds/server.ts";
import { TYPE_URL } from "@heddle/xds/type-url.ts";
import type { Order, Transport, TransportEvents } from "./transport-server.ts";

/** The real server, state machine included: what the control plane runs. */
export async function startHeddle(tls: Order["tls"], events: TransportEvents): Promise<Transport> {
  const pushes: ((set: ResourceSet) => void)[] = [];
  const server = await serveXds({
    host: "127.0.0.1",
    port: 0,
    tls,
    handleHttp: (_request, response) => void response.end(),
    hooks: {
      connect: async () => ({
        attach: (push) => {
          pushes.push(push);
          push(EMPTY);
        },
        report: (event) => {
          if (event.event !== "acked") return;
          if (event.resources.length === 0) events.opened();
          else events.acknowledged();
        },
        close: () => {},
      }),
    },
  });
  return {
    port: server.port,
    push: (_round, payload) => {
      const resource = encodeBytes(TYPE_URL.cluster, "c", payload);
      const set = new Map([[TYPE_URL.cluster, new Map([["c", resource]])]]);
      for (const push of pushes) push(set);
    },
  };
}

const EMPTY: ResourceSet = new Map();
