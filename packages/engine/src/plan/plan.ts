import type { Any } from "@bufbuild/protobuf/wkt";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import type { Labels } from "@heddle/model/labels.ts";
import type { Protocol } from "@heddle/model/kinds/dataplane.ts";
import type { Match } from "@heddle/model/target-ref.ts";
import type { EndpointOrder, HashPolicy, LoadBalancer, Localities } from "./balancing.ts";
import type { External } from "./external.ts";
import type { CircuitBreakers, HealthCheck, OutlierDetection } from "./instances.ts";
import type { Passthrough } from "./passthrough.ts";
import type { TlsSettings } from "./tls-settings.ts";
import type { ProxyTls, UpstreamTls } from "./mutual-tls.ts";
import type { Tracing } from "./tracing.ts";

export type { ProxyTls, UpstreamTls } from "./mutual-tls.ts";

/** Where a piece of configuration comes from: a resource, and the rule in it. */
export interface Origin {
  readonly type: string;
  readonly mesh: string;
  readonly name: string;
  readonly kri: string;
  readonly rule: number;
}

/** A service a proxy may call, at one port. */
export interface Destination {
  /** Name of its cluster, endpoints, routes and statistics: a KRI, or for a Kuma 2.x service tag the service's name. */
  readonly key: string;
  readonly kind: "MeshService" | "Service" | "MeshExternalService" | "MeshMultiZoneService";
  readonly mesh: string;
  readonly name: string;
  /** KRI of the resource without a section; empty for a service tag. */
  readonly kri: string;
  readonly labels: Labels;
  readonly section: string;
  readonly port: number;
  /** Kuma 2.x: the tags that select it, with kuma.io/service. */
  readonly tags: Labels;
  readonly protocol: Protocol;
  readonly tls: UpstreamTls | undefined;
  /** Of a MeshExternalService: nobody of the mesh serves it. */
  readonly external?: External | undefined;
}

/** Envoy runs HTTP filters in this order. A policy names a stage, never a number. */
export const HTTP_STAGES = ["cors", "authenticate", "authorize", "decide", "fault", "limit", "observe"] as const;
export type HttpStage = (typeof HTTP_STAGES)[number];

export interface HttpFilter {
  readonly stage: HttpStage;
  readonly name: string;
  readonly config: Any;
}

/** Network filters run before the protocol's own filter, in this order. */
export const NETWORK_STAGES = ["authorize", "decide", "state", "limit"] as const;
export type NetworkStage = (typeof NETWORK_STAGES)[number];

export interface NetworkFilter {
  readonly stage: NetworkStage;
  readonly name: string;
  readonly config: Any;
}

/** What applies to each request on a route. Times are milliseconds; zero means no limit. */
export interface RouteSettings {
  readonly timeout?: number | undefined;
  readonly idleTimeout?: number | undefined;
  readonly maxStreamDuration?: number | undefined;
  readonly retry?: Retry | undefined;
  readonly hashPolicies?: readonly HashPolicy[] | undefined;
  /** Settings of HTTP filters for these requests, by filter name. */
  readonly filters?: Readonly<Record<string, Any>> | undefined;
}

/** When and how a request that failed is sent again. Times are milliseconds. */
export interface Retry {
  /** What may have gone wrong; any of it is a reason, and so is one of the statuses or of the response's headers. */
  readonly on: readonly RetryCondition[];
  readonly statuses: readonly number[];
  readonly responseHeaders: readonly (TextMatch & { readonly name: string })[];
  /** Only requests that any of these describes are sent again; all when there are none. */
  readonly requestHeaders: readonly (TextMatch & { readonly name: string })[];
  /** How often, beyond the first time. Absent: once. */
  readonly times?: number | undefined;
  readonly perTryTimeout?: number | undefined;
  readonly backOff?: { readonly base: number; readonly max?: number | undefined } | undefined;
  /** How long to wait when the answer says so itself, in one of these headers. */
  readonly rateLimitedBackOff?:
    | {
        readonly headers: readonly { readonly name: string; readonly format: "Seconds" | "UnixTimestamp" }[];
        readonly max?: number | undefined;
      }
    | undefined;
  /** Another instance is looked for when the one that was picked is one of these. */
  readonly omit: readonly ("PreviousHosts" | { readonly tags: Labels })[];
  /** Every so many tries the next priority of instances is used. */
  readonly omitPreviousPriorities?: number | undefined;
  /** How often another instance is looked for before the last one picked has to do. Absent: once. */
  readonly hostAttempts?: number | undefined;
}

/** Reasons to send a request again, in Envoy's words: the first ones are read off HTTP, the last five off gRPC. */
export type RetryCondition =
  | "5xx"
  | "gateway-error"
  | "reset"
  | "retriable-4xx"
  | "connect-failure"
  | "envoy-ratelimited"
  | "refused-stream"
  | "http3-post-connect-failure"
  | "cancelled"
  | "deadline-exceeded"
  | "internal"
  | "resource-exhausted"
  | "unavailable";

/** What applies to connections towards a destination or the application. Times are milliseconds. */
export interface ClusterSettings {
  readonly connectTimeout?: number | undefined;
  readonly idleTimeout?: number | undefined;
  readonly maxConnectionDuration?: number | undefined;
  /** Of a request or stream, whatever it does; zero means no limit. */
  readonly maxStreamDuration?: number | undefined;
  readonly circuitBreakers?: CircuitBreakers | undefined;
  readonly outlierDetection?: OutlierDetection | undefined;
  /** When fewer instances than this share, in percent, are healthy, all are used again. */
  readonly healthyPanicThreshold?: number | undefined;
  readonly loadBalancer?: LoadBalancer | undefined;
  readonly localities?: Localities | undefined;
  readonly healthCheck?: HealthCheck | undefined;
}

/** What applies to connections that come in. Times are milliseconds; zero means no limit. */
export interface ConnectionSettings {
  readonly idleTimeout?: number | undefined;
  readonly streamIdleTimeout?: number | undefined;
  readonly maxConnectionDuration?: number | undefined;
  readonly requestHeadersTimeout?: number | undefined;
  /** Outbounds where bytes are only moved: how often a connection to an instance is tried. Absent: once. */
  readonly connectAttempts?: number | undefined;
}

/** Where Envoy writes a line for each request or connection. */
export interface AccessLog {
  readonly name: string;
  readonly config: Any;
  /** Inbounds only: written is what any of these sends. Absent: what anybody sends. */
  readonly callers?: readonly Match[] | undefined;
  /** Outbounds only: written is what takes one of these routes, or any but these. Absent: everything. */
  readonly routes?: { readonly only: readonly string[] } | { readonly except: readonly string[] } | undefined;
}

/** What applies to the requests of some callers only. */
export interface CallerSettings {
  readonly match: Match;
  /** What has to be right beside it: a certificate may carry several URIs. */
  readonly and?: readonly Match[] | undefined;
  readonly route: RouteSettings;
  /** Filters that do as the listener says, whatever the route for everybody says of them. */
  readonly asInListener?: readonly string[] | undefined;
}

/** The closed set of places where a policy may change a proxy. They mirror Envoy's attachment points. */
export interface Settings {
  readonly route: RouteSettings;
  readonly cluster: ClusterSettings;
  readonly connection: ConnectionSettings;
  readonly tls: TlsSettings;
  /** Outbounds only: which instances are called first. Absent: those of the own zone. */
  readonly endpoints?: EndpointOrder | undefined;
  readonly httpFilters: readonly HttpFilter[];
  readonly networkFilters: readonly NetworkFilter[];
  readonly accessLogs: readonly AccessLog[];
  readonly tracing?: Tracing | undefined;
  /** What the above refer to, such as the cluster that an access log goes to. */
  readonly resources: readonly EncodedResource[];
  /** Inbounds only: a list for each kind of policy that tells callers apart, of which the first match applies. */
  readonly callers: readonly (readonly CallerSettings[])[];
}

/** What one policy wants changed. */
export type Change = Partial<Omit<Settings, "callers">> & { readonly callers?: readonly CallerSettings[] };

/** Envoy's resources by type URL, then name. */
export type Resources = ReadonlyMap<string, ReadonlyMap<string, EncodedResource>>;

/** What is known of an Envoy resource beside its content. */
export interface ResourceFacts {
  /** What it is for: "inbound", "outbound", or the kind of policy that brought it, such as "mesh-trace". */
  readonly origin: string;
  /** Other names that mean it, as Kuma 2.x and 3.x have them. */
  readonly aliases: readonly string[];
  /** Of a listener: tags and labels of the port or the destination that it stands for. */
  readonly tags: Labels;
}

/** What a policy made of Envoy's resources. */
export interface Patched {
  readonly resources: Resources;
  /** What shaped them, as KRIs, for those that the policy changed or added. */
  readonly origins: ReadonlyMap<EncodedResource, readonly string[]>;
}

/** What a policy wants of a proxy as a whole. */
export interface ProxyChange {
  /** For each of its inbounds. */
  readonly inbounds?: Change | undefined;
  /** For each of its outbounds. */
  readonly outbounds?: Change | ((destination: Destination) => Change) | undefined;
  /** Listeners, clusters and routes of its own. */
  readonly resources?: readonly EncodedResource[] | undefined;
  /** Redirected connections that go to no destination of the mesh. */
  readonly passthrough?: Passthrough | undefined;
  /** What is likely not meant, for whoever asks which policies apply. */
  readonly warnings?: readonly string[] | undefined;
}

/** A port of the application, as the proxy serves it. */
export interface InboundPlan {
  readonly name: string;
  /** Name of its listener, cluster and routes: self_inbound_dp_<name>. */
  readonly key: string;
  readonly kri: string;
  readonly address: string;
  readonly port: number;
  /** Connections come by redirection: the port itself stays free. */
  readonly redirected?: boolean | undefined;
  readonly protocol: Protocol;
  readonly tags: Labels;
  readonly service: { readonly address: string; readonly port: number };
  readonly tls: ProxyTls | undefined;
  readonly settings: Settings;
}

/** A local port under which the application reaches a destination. */
export interface OutboundPlan {
  readonly destination: Destination;
  readonly address: string;
  readonly port: number;
  /** Connections come by redirection: the port itself stays free. */
  readonly redirected?: boolean | undefined;
  readonly tls: ProxyTls | undefined;
  readonly routes: readonly RoutePlan[];
  readonly settings: Settings;
}

export interface RoutePlan {
  readonly name: string;
  readonly match: RouteMatch;
  readonly action: RouteAction;
  readonly requestHeaders?: HeaderChange | undefined;
  readonly responseHeaders?: HeaderChange | undefined;
  readonly settings: RouteSettings;
  readonly origins: readonly Origin[];
}

export type TextMatch =
  | { readonly type: "Exact" | "Prefix" | "RegularExpression"; readonly value: string }
  | { readonly type: "Present" | "Absent" };

export interface RouteMatch {
  readonly path?: { readonly type: "Exact" | "PathPrefix" | "RegularExpression"; readonly value: string } | undefined;
  readonly method?: string | undefined;
  readonly headers: readonly (TextMatch & { readonly name: string })[];
  readonly queryParams: readonly (TextMatch & { readonly name: string })[];
}

export type RouteAction =
  | {
      readonly do: "forward";
      readonly backends: readonly { readonly destination: Destination; readonly weight: number }[];
      /** Share of the weight whose destination does not exist: answered with 500. */
      readonly unresolvedWeight: number;
      readonly rewrite?: PathRewrite | undefined;
      readonly hostRewrite?: string | undefined;
      readonly mirrors: readonly { readonly destination: Destination; readonly percent: number }[];
    }
  | { readonly do: "redirect"; readonly redirect: Redirect }
  | { readonly do: "respond"; readonly status: number; readonly body?: string | undefined };

export type PathRewrite =
  | { readonly type: "ReplaceFullPath"; readonly value: string }
  | { readonly type: "ReplacePrefixMatch"; readonly value: string };

export interface Redirect {
  readonly scheme?: string | undefined;
  readonly hostname?: string | undefined;
  readonly port?: number | undefined;
  readonly path?: PathRewrite | undefined;
  readonly status: number;
}

export interface HeaderChange {
  readonly set: readonly { readonly name: string; readonly value: string }[];
  readonly add: readonly { readonly name: string; readonly value: string }[];
  readonly remove: readonly string[];
}

/** Two kinds of policy that want different values in one place: said, never settled in silence. */
export interface Conflict {
  readonly slot: string;
  readonly unit: string;
  readonly kept: { readonly kind: string; readonly origins: readonly Origin[] };
  readonly dropped: { readonly kind: string; readonly origins: readonly Origin[] };
}
