import { duration } from "@heddle/envoy/duration.ts";
import { encodeResource } from "@heddle/envoy/encode-resource.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import type { RouteActionSchema, RouteSchema } from "@heddle/envoy/gen/envoy/config/route/v3/route_components_pb.js";
import { RouteConfigurationSchema } from "@heddle/envoy/gen/envoy/config/route/v3/route_pb.js";
import type { RouteSettings } from "../plan/plan.ts";
import { emitHashPolicy } from "./balancing.ts";
import type { Init } from "./common.ts";
import { emitRetry } from "./retry.ts";

/** One route in the making. */
export type Route = Init<typeof RouteSchema>;

/** All routes behind one listener; the first that matches is taken. */
export function routeConfiguration(name: string, routes: Route[]): EncodedResource {
  return encodeResource(RouteConfigurationSchema, name, {
    name,
    virtualHosts: [{ name, domains: ["*"], routes }],
    // A route may name a cluster that arrives in the same push; Envoy answers 503 until it is there instead of refusing.
    validateClusters: false,
  });
}

/** How long a request may take on a route, when it is sent again, and what of it says to which instance. */
export function limits({
  timeout,
  idleTimeout,
  maxStreamDuration,
  retry,
  hashPolicies = [],
}: RouteSettings): Init<typeof RouteActionSchema> {
  return {
    ...lifetime(timeout, maxStreamDuration),
    ...(idleTimeout === undefined ? {} : { idleTimeout: duration(idleTimeout) }),
    ...(retry === undefined ? {} : { retryPolicy: emitRetry(retry) }),
    ...(hashPolicies.length === 0 ? {} : { hashPolicy: hashPolicies.map(emitHashPolicy) }),
  };
}

// A route that has a longest life of streams, even none, ignores its timeout (Envoy's Router::FilterUtility): with both,
// the shorter one is the route's timeout, and the cluster ends the streams that are still being sent.
function lifetime(timeout: number | undefined, maxStreamDuration: number | undefined): Init<typeof RouteActionSchema> {
  if (!maxStreamDuration) return timeout === undefined ? {} : { timeout: duration(timeout) };
  if (timeout) return { timeout: duration(Math.min(timeout, maxStreamDuration)) };
  return { timeout: duration(0), maxStreamDuration: { maxStreamDuration: duration(maxStreamDuration) } };
}

/** What HTTP filters do differently on a route. */
export function perFilter({ filters }: RouteSettings): Route {
  return filters === undefined ? {} : { typedPerFilterConfig: { ...filters } };
}
