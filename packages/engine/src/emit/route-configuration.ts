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
    ...(timeout === undefined ? {} : { timeout: duration(timeout) }),
    ...(idleTimeout === undefined ? {} : { idleTimeout: duration(idleTimeout) }),
    ...(maxStreamDuration === undefined
      ? {}
      : { maxStreamDuration: { maxStreamDuration: duration(maxStreamDuration) } }),
    ...(retry === undefined ? {} : { retryPolicy: emitRetry(retry) }),
    ...(hashPolicies.length === 0 ? {} : { hashPolicy: hashPolicies.map(emitHashPolicy) }),
  };
}

/** What HTTP filters do differently on a route. */
export function perFilter({ filters }: RouteSettings): Route {
  return filters === undefined ? {} : { typedPerFilterConfig: { ...filters } };
}
