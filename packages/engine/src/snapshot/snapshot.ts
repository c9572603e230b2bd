import type { DataplaneSpec } from "@heddle/model/kinds/dataplane.ts";
import type { MeshIdentitySpec, MeshTrustSpec } from "@heddle/model/kinds/mesh-identity.ts";
import type { TelemetryBackendSpec } from "@heddle/model/kinds/mesh-open-telemetry-backend.ts";
import type { MeshExternalServiceSpec } from "@heddle/model/kinds/mesh-external-service.ts";
import type { MeshMultiZoneServiceSpec } from "@heddle/model/kinds/mesh-multi-zone-service.ts";
import type { MeshServiceSpec } from "@heddle/model/kinds/mesh-service.ts";
import type { MeshSpec } from "@heddle/model/kinds/mesh.ts";
import type { PemFacts } from "@heddle/model/pem.ts";
import type { Resource } from "@heddle/model/resource.ts";
import type { PolicySpec } from "../match/precedence.ts";
import type { Index } from "./index-draft.ts";
import type { LegacyEntry } from "./legacy.ts";
import type { ServiceView } from "./service-view.ts";

/** What is known of a proxy besides its resource. It changes with connections, not with writes of users. */
export interface DataplaneFacts {
  /** Connected, or gone for less time than it takes to come back. */
  readonly online: boolean;
  /** It has acknowledged its listeners: a request sent to it is answered. */
  readonly warm: boolean;
  /** It has a certificate and listeners that accept mutual TLS. */
  readonly tlsReady: boolean;
  /** It said goodbye: nobody may send it new requests. */
  readonly leaving: boolean;
  /** Ports whose application did not answer the last probe, by inbound port. */
  readonly unhealthy: readonly number[];
  /** What it told of itself when it connected. */
  readonly node?: NodeFacts | undefined;
}

/** What a proxy tells of the machine it is on. */
export interface NodeFacts {
  /** A named pipe beside Envoy: somebody sends on what is written there, each line to the address it names. */
  readonly accessLogPipe?: string | undefined;
  /** The authorities that the machine trusts, a file of PEM. */
  readonly systemCaPath?: string | undefined;
  /** Where Envoy's own interface answers. */
  readonly admin?:
    | { readonly kind: "socket"; readonly path: string }
    | { readonly kind: "port"; readonly address: string; readonly port: number }
    | undefined;
  /** A folder that Envoy may make sockets in. */
  readonly workDir?: string | undefined;
  /** The socket of the SPIRE agent beside it. */
  readonly spireSocket?: string | undefined;
  /** Files of PEM that secure the port for Prometheus. */
  readonly metricsTls?: { readonly certPath: string; readonly keyPath: string } | undefined;
  /** What its Envoy has to be told to agree on keys with, in BoringSSL's names; absent: it does right by itself. */
  readonly keyExchanges?: readonly string[] | undefined;
}

export const OFFLINE: DataplaneFacts = {
  online: false,
  warm: false,
  tlsReady: false,
  leaving: false,
  unhealthy: [],
};

export interface DataplaneEntry {
  readonly resource: Resource<DataplaneSpec>;
  readonly facts: DataplaneFacts;
  /** The identity that it had before the one it is meant to have; absent once it has that one. */
  readonly earlier?: EarlierIdentity | undefined;
}

/** An identity that a proxy shows until every other one knows the next, and that clients accept until it shows the next. */
export interface EarlierIdentity {
  readonly issuer: "Mesh" | "MeshIdentity";
  /** Name of the secret with its certificate. */
  readonly secret: string;
  readonly spiffeIds: readonly string[];
  /** Which identity comes next. */
  readonly next: string;
  /** Every other proxy knows the next one: it is on its way. */
  readonly isLeaving: boolean;
}

/** Everything about one mesh at one moment. Never changed: `applyChanges` makes a new one that shares what stayed. */
export interface MeshSnapshot {
  readonly mesh: Resource<MeshSpec>;
  readonly zone: string;
  readonly dataplanes: ReadonlyMap<string, DataplaneEntry>;
  readonly services: ReadonlyMap<string, Resource<MeshServiceSpec>>;
  /** Services outside of the mesh; those of Kuma 2.x under names that no user can give. */
  readonly externalServices: ReadonlyMap<string, Resource<MeshExternalServiceSpec>>;
  readonly multiZoneServices: ReadonlyMap<string, Resource<MeshMultiZoneServiceSpec>>;
  /** What can be read of the mesh's Secrets, by name; never what they hold. */
  readonly secrets: ReadonlyMap<string, PemFacts>;
  readonly identities: ReadonlyMap<string, Resource<MeshIdentitySpec>>;
  readonly trusts: ReadonlyMap<string, Resource<MeshTrustSpec>>;
  readonly telemetryBackends: ReadonlyMap<string, Resource<TelemetryBackendSpec>>;
  /** Resources of Kuma 2.x that stand for policies, by type and name ("Timeout/slow"). */
  readonly legacy: ReadonlyMap<string, LegacyEntry>;
  /** By kind of policy, each list from the weakest to the strongest; those of Kuma 2.x as what they stand for. */
  readonly policies: ReadonlyMap<string, readonly Resource<PolicySpec>[]>;
  /** Names of the proxies that serve a service, by service key. */
  readonly instances: Index;
  /** Names of MeshServices by one thing that their proxies must have. */
  readonly selectors: Index;
  /** What clients see, by service key ("MeshService/backend", "Service/backend"). */
  readonly views: ReadonlyMap<string, ServiceView>;
}

/** A mesh with nothing in it. */
export function emptySnapshot(mesh: Resource<MeshSpec>, zone: string): MeshSnapshot {
  const none = new Map<string, never>();
  return {
    mesh,
    zone,
    dataplanes: none,
    services: none,
    externalServices: none,
    multiZoneServices: none,
    secrets: none,
    identities: none,
    trusts: none,
    telemetryBackends: none,
    legacy: none,
    policies: none,
    instances: none,
    selectors: none,
    views: none,
  };
}
