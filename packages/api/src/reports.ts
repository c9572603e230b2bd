// The shapes of computed answers: what the engine says about a proxy, as Kuma's clients read it.

/** How a resource is named inside an answer. */
export interface Meta {
  readonly type: string;
  readonly mesh: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly kri?: string;
}

/** Which policy, and which of its rules (by index), a value comes from. */
export interface Origin {
  readonly resourceMeta: Meta;
  readonly ruleIndex?: number;
}

/** Confs that reach a proxy from one kind of policy. `conf` lists the merged configuration, `origin` its sources. */
export interface PolicyRules {
  readonly type: string;
  readonly proxyRule?: { readonly conf: unknown; readonly origin: readonly Meta[] };
  readonly toResourceRules: readonly {
    readonly resourceMeta: Meta;
    readonly resourceSectionName?: string;
    readonly conf: readonly unknown[];
    readonly origin: readonly Origin[];
  }[];
  readonly inboundRules: readonly {
    readonly inbound: InboundRef;
    readonly rules: readonly {
      readonly match?: unknown;
      readonly conf: readonly unknown[];
      readonly origin: readonly Origin[];
    }[];
  }[];
  /** Kuma 2.x: rules by the tags of callers. */
  readonly fromRules?: readonly { readonly inbound: InboundRef; readonly rules: readonly SubsetRule[] }[];
  /** Kuma 2.x: rules by the tags of destinations. */
  readonly toRules?: readonly SubsetRule[];
  readonly warnings: readonly string[];
}

export interface InboundRef {
  readonly name?: string;
  readonly port: number;
  readonly tags: Readonly<Record<string, string>>;
}

export interface SubsetRule {
  readonly matchers: readonly { readonly key: string; readonly value: string; readonly not: boolean }[];
  readonly conf: unknown;
  readonly origin: readonly Meta[];
}

/** Answer of `_rules`, without the proxy's own meta, which the API adds. */
export interface RulesReport {
  readonly httpMatches: readonly { readonly hash: string; readonly match: unknown }[];
  readonly rules: readonly PolicyRules[];
}

/** Answer of `_config`: the Envoy resources of a proxy by type; `diff` is a JSON Patch against what it has now. */
export interface ConfigReport {
  readonly xds: Readonly<Record<string, unknown>>;
  readonly diff?: readonly unknown[];
}

/** One side of a proxy: a port, what is spoken there, and the name it has in Envoy. */
export interface LayoutPort {
  readonly kri: string;
  readonly port: number;
  readonly protocol: string;
  readonly proxyResourceName: string;
}

/** Answer of `_layout`, without the proxy's KRI and labels, which the API adds. */
export interface LayoutReport {
  readonly spiffeId?: string;
  readonly inbounds: readonly LayoutPort[];
  /** With why nobody can be called there, if so. */
  readonly outbounds: readonly (LayoutPort & { readonly problem?: string })[];
  readonly listeners: readonly {
    readonly kri: string;
    readonly port: number;
    readonly proxyResourceName: string;
    readonly type: string;
  }[];
}

export interface KriOrigin {
  readonly kri: string;
}

/** Answer of `_policies` for a proxy, an outbound or a route. */
export interface PoliciesReport {
  readonly policies: readonly {
    readonly kind: string;
    readonly conf: unknown;
    readonly origins: readonly KriOrigin[];
  }[];
}

/** Answer of `_inbounds/{kri}/_policies`: what applies depends on the caller, hence rules. */
export interface InboundPoliciesReport {
  readonly policies: readonly {
    readonly kind: string;
    /** `match` tells whose requests a rule means; all when absent. */
    readonly rules: readonly { readonly kri?: string; readonly match?: unknown; readonly conf: unknown }[];
    readonly origins: readonly KriOrigin[];
  }[];
}

/** Answer of `_outbounds/{kri}/_routes`. */
export interface RoutesReport {
  readonly routes: readonly {
    readonly kind: string;
    readonly origins: readonly KriOrigin[];
    readonly rules: readonly {
      readonly kri: string;
      readonly conf: unknown;
      readonly matches: readonly unknown[];
    }[];
  }[];
}

/** Answer of `_access`: whether a caller gets through to each inbound, why, and how to change it. */
export interface AccessReport {
  readonly inbounds: readonly {
    readonly inbound: string;
    readonly port: number;
    readonly decision: "allow" | "deny" | "plaintext";
    readonly reason: string;
    readonly origins: readonly string[];
    readonly fix?: string;
  }[];
}

/**
 * How a proxy's certificate is, from the worst on: none was issued; it has ended; half of what was left for renewing it has
 * gone; its time to be renewed has come; it was sent, and the proxy has not acknowledged it; another one is being issued;
 * nothing needs to be done.
 */
export const CERTIFICATE_STATES = [
  "missing",
  "expired",
  "expiring",
  "due",
  "unacknowledged",
  "renewing",
  "ok",
] as const;
export type CertificateState = (typeof CERTIFICATE_STATES)[number];

/** The certificate of one proxy. Times in ISO 8601. */
export interface CertificateReport {
  readonly name: string;
  readonly online: boolean;
  readonly spiffeIds: readonly string[];
  /** The backend of the mesh, or the KRI of the MeshIdentity. */
  readonly issuer: string;
  readonly state: CertificateState;
  /** Why it is not in order, where that is known. */
  readonly reason?: string;
  readonly issuedAt?: string;
  readonly renewsAt?: string;
  readonly expiresAt?: string;
}

/** Answer of `/meshes/{mesh}/_certificates`: the certificates of its proxies, those at risk first. */
export interface CertificatesReport {
  /** When the first certificate of a connected proxy ends: until then the control plane may be away. */
  readonly firstExpiry?: { readonly name: string; readonly expiresAt: string };
  /** Of connected proxies. */
  readonly states: Readonly<Record<CertificateState, number>>;
  readonly warnings: readonly string[];
  readonly items: readonly CertificateReport[];
}

/** A certificate of an authority. Times in ISO 8601. */
export interface AuthorityCertificate {
  readonly subject: string;
  /** SHA-256, hexadecimal. */
  readonly fingerprint: string;
  readonly expiresAt: string;
  /** It signs no more, and is trusted until then. */
  readonly trustedUntil?: string;
}

/** One certificate authority of a mesh. */
export interface AuthorityReport {
  /** The backend's name, or the KRI of the MeshIdentity. */
  readonly name: string;
  readonly type: string;
  /** Whether new certificates are of it. */
  readonly signs: boolean;
  readonly state: "starting" | "ready" | "down";
  readonly reason?: string;
  readonly since?: string;
  readonly certificateLifeSeconds: number;
  /** How long certificates outlast whoever renews them, at least, in seconds. */
  readonly availabilitySeconds: number;
  readonly issuer?: AuthorityCertificate;
  readonly roots: readonly AuthorityCertificate[];
}

/** Answer of `/meshes/{mesh}/_authorities`. */
export interface AuthoritiesReport {
  readonly warnings: readonly string[];
  readonly items: readonly AuthorityReport[];
}

/** Answer of `/server-certificates`: what the control plane's own ports show. Times in ISO 8601. */
export interface ServerCertificatesReport {
  readonly warnings: readonly string[];
  readonly items: readonly {
    readonly port: string;
    readonly expiresAt: string;
    /** Why what lies in its files is not in use; an earlier certificate is shown. */
    readonly problem?: string;
  }[];
}

/** How many proxies something has reached, and whom it has not, with the reason. */
export interface ReachReport {
  readonly proxies: number;
  readonly reached: number;
  readonly waitingFor: readonly { readonly name: string; readonly reason: string }[];
}

/** A rotation of certificate authorities. Times in ISO 8601; roots by SHA-256, hexadecimal. */
export interface CaRotationReport {
  readonly id: string;
  readonly mesh: string;
  readonly rotated:
    | { readonly what: "root"; readonly backend: string }
    | { readonly what: "backend"; readonly from: string; readonly to: string }
    | { readonly what: "identity"; readonly identity: string };
  readonly phase: "trusting" | "issuing" | "withdrawing" | "done" | "stopped";
  readonly startedAt: string;
  /** Empty: the root was replaced where it comes from, and Heddle follows. */
  readonly startedBy: string;
  readonly endedAt?: string;
  /** Who has acknowledged to trust the new authority. */
  readonly trust: ReachReport;
  /** Who has a certificate of it. */
  readonly certificates: ReachReport;
  readonly old: {
    readonly roots: readonly string[];
    /**
     * How many proxies, also those that are away, hold a certificate of it that has not ended. One that has not acknowledged
     * its newer one holds the earlier one still.
     */
    readonly holders: number;
    readonly trustedUntil?: string;
    readonly isRemoved: boolean;
  };
  readonly new: { readonly roots: readonly string[]; readonly pem: string };
  readonly removeOld: boolean;
  /** Why it does not go on, or why it was stopped. */
  readonly problem?: string;
  /** Nothing more happens that is worth waiting for. */
  readonly done: boolean;
}

/** A change of Envoy's configuration at one proxy; `patch` is a JSON Patch of the Envoy resource. */
export interface EnvoyChange {
  readonly typeUrl: string;
  readonly name: string;
  readonly change: "added" | "changed" | "removed";
  readonly patch?: readonly unknown[];
}

/** What a planned write would change at one proxy. */
export interface ProxyChange {
  readonly mesh: string;
  readonly name: string;
  readonly changes: readonly EnvoyChange[];
}

/** A line of `/rollouts/{revision}`: who has taken a change over, and who refused it. */
export interface RolloutProgress {
  readonly revision: number;
  readonly proxies: { readonly affected: number; readonly acked: number };
  readonly rejected: readonly {
    readonly mesh: string;
    readonly name: string;
    readonly typeUrl: string;
    readonly resources: readonly string[];
    /** Envoy's own words. */
    readonly detail: string;
    readonly origins: readonly string[];
  }[];
  /** Policies that were taken back because proxies refused them. */
  readonly held?: readonly {
    readonly type: string;
    readonly mesh: string;
    readonly name: string;
    readonly message: string;
  }[];
  readonly elapsedMillis: number;
  readonly done: boolean;
}

/** Data of a running Envoy's admin interface, handed through as it is. */
export interface LiveEnvoy {
  readonly contentType: string;
  readonly body: string;
}

/** Answer of `/versions`: what works together. */
export interface VersionsReport {
  readonly heddle: { readonly version: string };
  readonly envoy: { readonly supported: readonly string[] };
  /** Version of kuma-dp or heddle dp → what it needs, as in Kuma: `{"1.0.0": {"envoy": "1.40.0"}}`. */
  readonly kumaDp: Readonly<Record<string, { readonly envoy: string }>>;
}
