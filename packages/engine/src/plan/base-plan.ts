import { type Inbound, inboundName, inboundProtocol } from "@heddle/model/kinds/dataplane.ts";
import { formatKri, kriOf } from "@heddle/model/kri.ts";
import type { DataplaneEntry } from "../snapshot/snapshot.ts";
import { isLoopback, redirectedInboundPort } from "./passthrough.ts";
import type { Destination, InboundPlan, ProxyTls, RoutePlan, Settings } from "./plan.ts";
import { NO_SETTINGS } from "./settings.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

// What Kuma's control plane sets when no MeshTimeout says otherwise (kuma-api.md, "Created with each Mesh").
const INBOUND: Settings = {
  ...NO_SETTINGS,
  route: { timeout: 0, idleTimeout: HOUR },
  cluster: { connectTimeout: 10 * SECOND, idleTimeout: 2 * HOUR },
  connection: { idleTimeout: 2 * HOUR, streamIdleTimeout: HOUR },
};
const OUTBOUND: Settings = {
  ...NO_SETTINGS,
  route: { timeout: 15 * SECOND, idleTimeout: 30 * MINUTE },
  cluster: { connectTimeout: 5 * SECOND, idleTimeout: HOUR },
  connection: { idleTimeout: HOUR },
};

/** The proxy's own ports before any policy. Ports declared as Ignored are not served. */
export function baseInbounds(proxy: DataplaneEntry["resource"], tls: ProxyTls | undefined): readonly InboundPlan[] {
  const { address, inbound = [] } = proxy.spec.networking;
  const redirected = redirectedInboundPort(proxy.spec.networking) !== undefined;
  return inbound
    .filter((each) => each.state !== "Ignored")
    .map((each) => ({
      name: inboundName(each),
      key: `self_inbound_dp_${inboundName(each)}`,
      kri: formatKri(kriOf("dp", proxy, inboundName(each))),
      address: each.address ?? address,
      port: each.port,
      redirected: redirected && !isLoopback(each.address ?? address),
      protocol: inboundProtocol(each),
      tags: each.tags ?? {},
      service: applicationAt(each),
      tls,
      settings: INBOUND,
    }));
}

/** What applies to every destination before any policy. */
export function baseOutboundSettings(): Settings {
  return OUTBOUND;
}

/** The route that takes everything to the destination itself: there when no policy brings routes, and last after those. */
export function catchAll(destination: Destination): RoutePlan {
  return {
    name: `${destination.key}#all`,
    match: { headers: [], queryParams: [] },
    action: { do: "forward", backends: [{ destination, weight: 1 }], unresolvedWeight: 0, mirrors: [] },
    settings: {},
    origins: [],
  };
}

/** Where the application itself listens, as the proxy reaches it. */
export function applicationAt(inbound: Inbound): InboundPlan["service"] {
  return { address: inbound.serviceAddress ?? "127.0.0.1", port: inbound.servicePort ?? inbound.port };
}
