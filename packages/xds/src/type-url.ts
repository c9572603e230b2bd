/** The type URLs of Envoy's discovery services, by the short names everybody uses. */
export const TYPE_URL = {
  secret: "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
  cluster: "type.googleapis.com/envoy.config.cluster.v3.Cluster",
  endpoint: "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
  listener: "type.googleapis.com/envoy.config.listener.v3.Listener",
  extension: "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
  scopedRoute: "type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration",
  route: "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
  virtualHost: "type.googleapis.com/envoy.config.route.v3.VirtualHost",
  runtime: "type.googleapis.com/envoy.service.runtime.v3.Runtime",
} as const;

/**
 * The order in which changes go out, so that nothing is referenced before it exists: what a listener or a route needs,
 * then listeners, then what listeners ask for. Types that are not listed follow in the order in which they were asked for.
 * https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#eventual-consistency-considerations
 */
export const SEND_ORDER: readonly string[] = [
  TYPE_URL.secret,
  TYPE_URL.cluster,
  TYPE_URL.endpoint,
  TYPE_URL.listener,
  TYPE_URL.extension,
  TYPE_URL.scopedRoute,
  TYPE_URL.route,
  TYPE_URL.virtualHost,
];

/** Types whose first request, when it names nothing, means "everything there is". For all others it means "nothing yet". */
export const WILDCARD_TYPES: ReadonlySet<string> = new Set([TYPE_URL.cluster, TYPE_URL.listener, TYPE_URL.scopedRoute]);

/** What other types refer to: added before them, removed only after they stopped referring to it. */
export const REFERENCED_TYPES: ReadonlySet<string> = new Set([TYPE_URL.secret, TYPE_URL.cluster, TYPE_URL.endpoint]);

/** What refers to clusters: listeners, and what listeners ask for. */
export const REFERRING_TYPES: ReadonlySet<string> = new Set([
  TYPE_URL.listener,
  TYPE_URL.extension,
  TYPE_URL.scopedRoute,
  TYPE_URL.route,
  TYPE_URL.virtualHost,
]);
