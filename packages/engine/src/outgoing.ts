import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { type CompileContext, tlsKey } from "./compile-context.ts";
import { destinationCluster } from "./emit/cluster.ts";
import { isHttp } from "./emit/common.ts";
import { idOf } from "./memo.ts";
import { baseOutboundSettings } from "./plan/base-plan.ts";
import type { EndpointOrder } from "./plan/balancing.ts";
import type { Destination } from "./plan/plan.ts";
import { applyProposals, listenerText } from "./plan/settings.ts";
import { confsAbout, isCurrent, proposalsFor, textOf, type Traffic, trafficTo } from "./traffic.ts";

/** What all proxies with the same policies and the same part in mutual TLS need to send requests to a destination. */
export interface Outgoing {
  readonly traffic: Traffic;
  /** The clusters of all destinations that its routes lead to. */
  readonly clusters: readonly EncodedResource[];
  /** Which of their instances are called first, by the key of a destination, where policies say so. */
  readonly orders: ReadonlyMap<string, EndpointOrder>;
  /** Its listeners by where they listen; filled as they are made. */
  readonly listeners: Map<string | number, EncodedResource>;
}

/** Works out what is needed for a destination, at most once while neither policies nor the destination change. */
export function outgoingTo(context: CompileContext, destination: Destination): Outgoing {
  const known = context.outgoing.get(destination);
  if (known !== undefined && isCurrent(known.traffic, context.mesh)) return known;
  const traffic = trafficTo(context, destination);
  const called = traffic.destinations.map((each) => ({ key: each.key, ...calledFor(context, each) }));
  // Most policies leave the listeners as they were encoded, because routes and clusters come on their own.
  const listeners = context.memo
    .of(destination)
    .get(
      `listeners|${splitText(destination, traffic)}|${listenerText(traffic.settings)}`,
      () => new Map<string | number, EncodedResource>(),
    );
  const clusters = called.map(({ cluster }) => cluster);
  const orders = new Map(called.flatMap(({ key, order }) => (order === undefined ? [] : [[key, order]])));
  const made = { traffic, clusters, orders, listeners };
  context.outgoing.set(destination, made);
  return made;
}

interface Called {
  readonly cluster: EncodedResource;
  readonly order: EndpointOrder | undefined;
}

function calledFor(context: CompileContext, destination: Destination): Called {
  const { matched, tls, memo, proxyKey, proxy, ownerOf } = context;
  // Only what is outside of the mesh may have a certificate that the machine's own authorities signed.
  const systemCaPath = destination.external === undefined ? undefined : proxy.node.systemCaPath;
  const confs = confsAbout(matched, destination);
  // A part in mutual TLS with an agent's names is that of one proxy.
  const owner = tls?.agent === undefined ? ownerOf(destination) : proxy;
  const key = `cluster|${idOf(destination)}|${tlsKey(tls)}|${proxyKey}|${systemCaPath}|${textOf(confs)}`;
  return memo.of(owner).get(key, () => {
    const { settings } = applyProposals(
      baseOutboundSettings(),
      proposalsFor(context, confs, destination),
      destination.key,
    );
    return { cluster: destinationCluster(destination, settings, { tls, systemCaPath }), order: settings.endpoints };
  });
}

// Where requests are not read there are no routes, and the listener itself says where bytes go.
function splitText({ protocol }: Destination, { routes }: Traffic): string {
  const action = isHttp(protocol) ? undefined : routes[0]?.action;
  if (action?.do !== "forward") return "";
  const shares = action.backends.map(({ destination, weight }) => `${destination.key}=${weight}`);
  return [...shares, action.unresolvedWeight].join();
}
