import { forget } from "./interest.ts";
import { type Subscription, UNKNOWN } from "./subscription.ts";

/*
 * Envoy throws away the endpoints of a cluster that changed and waits for them anew ("warming"), yet it does not ask for
 * them: it is still subscribed to their name. A server that trusts its own bookkeeping leaves the cluster waiting for
 * ever. While a cluster warms, Envoy holds back everything it has to say about clusters: the ACK, and after a reconnect
 * even the first request. A ClusterLoadAssignment has the name of its cluster.
 * https://github.com/hashicorp/consul/issues/10563
 */

/** These clusters are being sent: their endpoints, or the word that there are none, have to follow. */
export function expectWarming(endpoints: Subscription, clusters: Iterable<string>): void {
  for (const name of clusters) {
    const isHeld = endpoints.held.has(name);
    forget(endpoints, name);
    // A client that takes all endpoints there are has to hear of those that went away.
    if (isHeld && !endpoints.names.has(name)) endpoints.held.set(name, UNKNOWN);
  }
  endpoints.due = undefined;
}

/** Some cluster, no one knows which, may be waiting for endpoints that the client says it has. */
export function distrust(endpoints: Subscription): void {
  expectWarming(endpoints, [...endpoints.held.keys()]);
}
