import type { Kind, KindRegistry } from "@heddle/model/kind.ts";
import type { NewResource, Resource, ResourceKey } from "@heddle/model/resource.ts";
import type { Store } from "@heddle/model/store.ts";
import type { Violation } from "@heddle/model/violation.ts";
import type { AuditLog } from "./audit/record.ts";
import type {
  AccessReport,
  AuthoritiesReport,
  CaRotationReport,
  CertificatesReport,
  ConfigReport,
  InboundPoliciesReport,
  LayoutReport,
  LiveEnvoy,
  PoliciesReport,
  ProxyChange,
  RolloutProgress,
  RoutesReport,
  RulesReport,
  ServerCertificatesReport,
  VersionsReport,
} from "./reports.ts";

/** All that the REST API needs from the rest of the control plane. */
export interface Ports {
  readonly store: Store;
  readonly kinds: KindRegistry;
  readonly info: Info;
  readonly inspect: Inspect;
  /** Says who a user token belongs to. Absent: nobody can log in with a token. */
  readonly verifyUserToken?: VerifyUserToken;
  /** Where people get tokens that verifyUserToken accepts. Absent: from nobody but this control plane. */
  readonly login?: Login;
  /** Absent: this control plane issues no tokens. */
  readonly tokens?: Tokens;
  /** Keeps what AccessAudits ask for. Absent: nothing is recorded. */
  readonly audit?: AuditLog;
  /** How the certificate authorities of a mesh are, by name; with the reason of one that cannot sign. */
  readonly caStates?: (mesh: string) => Iterable<readonly [name: string, state: object]>;
  /** Replaces certificate authorities. Absent: this control plane has none. */
  readonly caRotations?: CaRotations;
  /** How the certificates of the control plane's own ports are. Absent: none of them has one. */
  readonly serverCertificates?: () => ServerCertificatesReport;
  /** What protects the store. Absent: nothing is stored. */
  readonly encryption?: EncryptionPort;
  /** Checks that only the control plane can make, run after those of this package. */
  readonly writeGuards?: readonly WriteGuard[];
  /** The configuration in force, with every secret masked already. */
  config(): unknown;
  versions(): VersionsReport;
  /** Told of every answered request: for metrics and access logs. Must not throw. */
  readonly observe?: (request: ObservedRequest) => void;
  /** Told of failures that the caller sees only as "Internal Server Error". Must not throw. */
  readonly reportFailure?: (message: string, cause: unknown) => void;
}

/** What this control plane is; also decides which resources may be written here. */
export interface Info {
  readonly hostname: string;
  readonly product: string;
  readonly version: string;
  readonly instanceId: string;
  readonly clusterId: string;
  /** URL of the GUI, or a sentence saying that there is none. */
  readonly gui?: string;
  /** The version of Kuma whose API this is; its clients look for it. */
  readonly basedOnKuma?: string;
  readonly mode: "zone" | "global";
  /** A zone that obeys a global control plane. */
  readonly federated: boolean;
  readonly zone: string;
  readonly environment: "universal" | "kubernetes";
  readonly storeType: string;
}

/** Somebody who calls. */
export interface User {
  readonly name: string;
  readonly groups: readonly string[];
}

/** Checks signature, life and revocation. The reason is shown to the caller, so it holds no part of the token. */
export type VerifyUserToken = (token: string) => Promise<User | { readonly reason: string }>;

/** Where people log in. Everybody may know it. */
export interface Login {
  /** The OpenID Connect issuer, the client to be there, and whom tokens must be made for. */
  readonly oidc: { readonly issuer: string; readonly clientId: string; readonly audience: string };
}

/** Issues tokens. `status` of a refusal is an HTTP status: 404 when the signing key does not exist. */
export interface Tokens {
  issueDataplaneToken(request: DataplaneTokenRequest): Promise<TokenAnswer>;
  issueZoneToken(request: ZoneTokenRequest): Promise<TokenAnswer>;
  issueUserToken(request: UserTokenRequest): Promise<TokenAnswer>;
}

export interface DataplaneTokenRequest {
  readonly mesh: string;
  readonly name?: string;
  readonly tags: Readonly<Record<string, readonly string[]>>;
  /** "" or "dataplane"; Kuma 2.x: "ingress" or "egress". */
  readonly type: string;
  readonly workload?: string;
  readonly validForMillis: number;
}

export interface ZoneTokenRequest {
  readonly zone: string;
  readonly scope: readonly string[];
  readonly validForMillis: number;
}

export interface UserTokenRequest {
  readonly name: string;
  readonly groups: readonly string[];
  readonly validForMillis: number;
}

export type TokenAnswer =
  | { readonly ok: true; readonly token: string }
  | { readonly ok: false; readonly status: number; readonly detail: string };

/** What protects the store, and how that is changed. */
export interface EncryptionPort {
  report(): EncryptionReport;
  /** Begins when the first report is asked for, and goes on when nobody asks for more. The last report is done. */
  rotate(): AsyncIterable<EncryptionReport>;
}

/** The key that protects the store, by its id and its place, and how far a rotation is. */
export interface EncryptionReport {
  readonly keyId: string;
  readonly use: "vault" | "file" | "environment" | "generated";
  readonly place: string;
  readonly rows?: { readonly done: number; readonly total: number };
  readonly done?: boolean;
}

/** Of which authorities a rotation is: of Mesh.mtls, or of a MeshIdentity. */
export interface CaRotationPlace {
  readonly mesh: string;
  readonly identity?: string | undefined;
}

export interface CaRotationWish {
  /** The backend that shall sign; a new root for the one that signs now, when absent. */
  readonly to?: string | undefined;
  /** Take the old authority away as soon as no certificate of it is known any more. */
  readonly removeOld: boolean;
}

/** Replaces certificate authorities, and tells how far that is. */
export interface CaRotations {
  /** Begins a rotation, or takes up the very one that is under way. Throws an error with an HTTP status when it cannot. */
  start(place: CaRotationPlace, wish: CaRotationWish, startedBy: string): Promise<CaRotationReport>;
  /** The one that is under way, or the last one. */
  current(place: CaRotationPlace): CaRotationReport | undefined;
  /** The state now, and again whenever it is another, until it is done. Throws the signal's reason when it aborts. */
  follow(place: CaRotationPlace, signal: AbortSignal): AsyncIterable<CaRotationReport>;
}

/** One proxy. The API has made sure that its mesh and its Dataplane exist before it asks. */
export interface ProxyKey {
  readonly mesh: string;
  readonly name: string;
}

/**
 * What is computed by the engine or known to the streams. "undefined" means that the thing asked about (an inbound, an
 * outbound, a route, a live proxy) is not there: the caller gets 404.
 */
export interface Inspect {
  rules(proxy: ProxyKey): Promise<RulesReport | undefined>;
  config(proxy: ProxyKey, options: ConfigOptions): Promise<ConfigReport | undefined>;
  layout(proxy: ProxyKey): Promise<LayoutReport | undefined>;
  policies(proxy: ProxyKey): Promise<PoliciesReport | undefined>;
  inboundPolicies(proxy: ProxyKey, inbound: string): Promise<InboundPoliciesReport | undefined>;
  outboundPolicies(proxy: ProxyKey, outbound: string): Promise<PoliciesReport | undefined>;
  routes(proxy: ProxyKey, outbound: string): Promise<RoutesReport | undefined>;
  routePolicies(proxy: ProxyKey, outbound: string, route: string): Promise<PoliciesReport | undefined>;
  /** Proxies that the top-level targetRef of a stored policy selects, ordered by name. */
  matchedDataplanes(policy: ResourceKey): Promise<readonly ProxyKey[]>;
  /** `from` is a proxy's name in the same mesh or a SPIFFE ID. */
  access(proxy: ProxyKey, from: string): Promise<AccessReport | undefined>;
  /** The certificates of a mesh's proxies, and who signs them; undefined while this control plane does not run the mesh. */
  certificates(mesh: string): CertificatesReport | undefined;
  authorities(mesh: string): AuthoritiesReport | undefined;
  /** What would change at which proxy if all of this were written at once. Secrets never appear in a patch. */
  plan(changes: PlannedChanges): Promise<readonly ProxyChange[]>;
  /**
   * How the changes after `since`, up to `revision`, reach the proxies: the state now, then a value at each change,
   * the last with `done: true`. Ends early (by return or by throwing the reason) when the signal aborts.
   */
  rollout(revision: number, since: number, signal: AbortSignal): AsyncIterable<RolloutProgress>;
  /** Asks the running Envoy. Throws ApiError with the reason when it does not answer. */
  liveEnvoy(
    proxy: ProxyKey,
    what: "xds" | "clusters" | "stats",
    query: URLSearchParams,
  ): Promise<LiveEnvoy | undefined>;
}

export interface ConfigOptions {
  /** Also apply policies labelled `kuma.io/effect: shadow`. */
  readonly shadow: boolean;
  readonly includeDiff: boolean;
}

export interface PlannedChanges {
  readonly puts: readonly NewResource[];
  readonly deletes: readonly ResourceKey[];
  /** Whether patches are wanted, or only which resources change. */
  readonly diff: boolean;
}

/** A write that is about to happen. */
export type Write =
  | {
      readonly operation: "create" | "update";
      readonly kind: Kind;
      readonly resource: NewResource;
      readonly previous?: Resource;
    }
  | { readonly operation: "delete"; readonly kind: Kind; readonly previous: Resource };

/** What a guard thinks of a write. Nothing set: no objection. */
export interface Verdict {
  readonly refusal?: { readonly status: number; readonly detail: string };
  readonly violations?: readonly Violation[];
  readonly warnings?: readonly string[];
}

/** Looks at a write before it happens. `read` shows the store as it would be, also within a plan. */
export type WriteGuard = (write: Write, read: Reader) => Verdict | Promise<Verdict>;

/** The reading half of a store. */
export type Reader = Pick<Store, "get" | "list">;

export interface ObservedRequest {
  readonly method: string;
  /** The template ("/meshes/{mesh}"), never the path itself: few values, no names of users. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}
