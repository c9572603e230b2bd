import { randomUUID } from "node:crypto";
import type { RefusedHost } from "@heddle/model/kinds/dataplane-insight.ts";
import type { ConnectRequest } from "@heddle/xds/hooks.ts";
import { issuerName } from "../identity/certificates.ts";
import type { Proxy } from "../mesh/proxy.ts";
import { type Connection, Counters } from "./insights.ts";

/** How many hosts that were refused an insight remembers, the latest ones. */
const HOSTS_KEPT = 5;

/** What an insight tells of a stream that was just opened, read anew whenever the insight is written. */
export function describeConnection(
  proxy: Proxy,
  { node }: Pick<ConnectRequest, "node">,
  { instanceId, now }: { readonly instanceId: string; readonly now: () => Date },
): Connection {
  let refusedHosts: readonly RefusedHost[] = [];
  return {
    mesh: proxy.mesh,
    name: proxy.name,
    subscription: {
      id: randomUUID(),
      controlPlaneInstanceId: instanceId,
      connectTime: now().toISOString(),
      version: node.metadata["version"],
    },
    certificate: () => {
      const identity = proxy.compiled?.identity;
      if (identity === undefined) return undefined;
      // Another authority may be meant to sign by now; what the proxy holds is of the one before until it does.
      return { held: proxy.held, issuer: proxy.held?.issuer ?? issuerName(identity), issued: proxy.issued };
    },
    rejections: () => [...proxy.rejections.values()],
    refusedHosts: () => refusedHosts,
    refuseHost: (host) => {
      refusedHosts = [...refusedHosts, host].slice(-HOSTS_KEPT);
    },
    metadata: withoutDataplane(node.metadata),
    counters: new Counters(),
  };
}

// The Dataplane is a resource of its own; the insight need not repeat it.
function withoutDataplane(metadata: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => key !== "dataplane.resource"));
}
