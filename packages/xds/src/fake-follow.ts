import { fromBinary } from "@bufbuild/protobuf";
import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import { Cluster_DiscoveryType, ClusterSchema } from "@heddle/envoy/gen/envoy/config/cluster/v3/cluster_pb.js";
import { type Listener, ListenerSchema } from "@heddle/envoy/gen/envoy/config/listener/v3/listener_pb.js";
import type { TransportSocket } from "@heddle/envoy/gen/envoy/config/core/v3/base_pb.js";
import { HttpConnectionManagerSchema } from "@heddle/envoy/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import type { SdsSecretConfig } from "@heddle/envoy/gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import type { CommonTlsContext } from "@heddle/envoy/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "@heddle/envoy/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import type { ReceivedResource, ReceivedResponse } from "./fake-wire.ts";
import { TYPE_URL } from "./type-url.ts";

/** Type URL to the names a resource makes its holder ask for. */
export type Followed = Readonly<Record<string, readonly string[]>>;
export type Follow = (resource: ReceivedResource) => Followed;

/** What Envoy asks for when it gets this resource: endpoints and secrets of clusters, routes and secrets of listeners. */
export function followEnvoy(resource: ReceivedResource): Followed {
  const key = `${resource.typeUrl}/${resource.version}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const followed = read(resource);
  cache.set(key, followed);
  return followed;
}

/** A change of what a proxy asks for. */
export interface InterestChange {
  readonly typeUrl: string;
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
}

/** What the resources that a proxy holds make it ask for, over all of them. */
export class FollowedNames {
  readonly #follow: Follow;
  readonly #bySource = new Map<string, Followed>();
  #names = new Map<string, ReadonlySet<string>>();

  constructor(follow: Follow) {
    this.#follow = follow;
  }

  /** Takes in an accepted response; gives back how the interest changed. */
  update({ typeUrl, resources, removed }: ReceivedResponse): readonly InterestChange[] {
    for (const resource of resources) this.#bySource.set(`${typeUrl}/${resource.name}`, this.#follow(resource));
    for (const name of removed) this.#bySource.delete(`${typeUrl}/${name}`);
    const before = this.#names;
    this.#names = union(this.#bySource.values());
    return [...new Set([...before.keys(), ...this.#names.keys()])].map((type) => {
      const had = before.get(type) ?? new Set();
      const has = this.#names.get(type) ?? new Set();
      return { typeUrl: type, subscribe: [...has.difference(had)], unsubscribe: [...had.difference(has)] };
    });
  }
}

function union(all: Iterable<Followed>): Map<string, ReadonlySet<string>> {
  const names = new Map<string, Set<string>>();
  for (const followed of all) {
    for (const [typeUrl, more] of Object.entries(followed)) {
      const known = names.get(typeUrl) ?? new Set<string>();
      for (const name of more) known.add(name);
      names.set(typeUrl, known);
    }
  }
  return names;
}

/** Many fakes hold the same content: it is read once. */
const cache = new Map<string, Followed>();

function read({ typeUrl, value }: ReceivedResource): Followed {
  if (typeUrl === TYPE_URL.cluster) return readCluster(value);
  if (typeUrl === TYPE_URL.listener) return readListener(fromBinary(ListenerSchema, value));
  return {};
}

function readCluster(value: Uint8Array): Followed {
  const cluster = fromBinary(ClusterSchema, value);
  const isEds =
    cluster.clusterDiscoveryType.case === "type" && cluster.clusterDiscoveryType.value === Cluster_DiscoveryType.EDS;
  const sockets = [cluster.transportSocket, ...cluster.transportSocketMatches.map((match) => match.transportSocket)];
  return {
    [TYPE_URL.endpoint]: isEds ? [cluster.edsClusterConfig?.serviceName || cluster.name] : [],
    [TYPE_URL.secret]: sockets.flatMap(secretsOf),
  };
}

function readListener(listener: Listener): Followed {
  const chains = [...listener.filterChains, ...(listener.defaultFilterChain ? [listener.defaultFilterChain] : [])];
  const routes = chains.flatMap(({ filters }) =>
    filters.flatMap(({ configType }) => routesOf(configType.case === "typedConfig" ? configType.value : undefined)),
  );
  return {
    [TYPE_URL.route]: routes,
    [TYPE_URL.secret]: chains.flatMap(({ transportSocket }) => secretsOf(transportSocket)),
  };
}

function routesOf(config: Any | undefined): readonly string[] {
  const manager = config && anyUnpack(config, HttpConnectionManagerSchema);
  return manager?.routeSpecifier.case === "rds" ? [manager.routeSpecifier.value.routeConfigName] : [];
}

function secretsOf(socket: TransportSocket | undefined): readonly string[] {
  const config = socket?.configType.value;
  const context =
    config && (anyUnpack(config, UpstreamTlsContextSchema) ?? anyUnpack(config, DownstreamTlsContextSchema));
  if (context?.commonTlsContext === undefined) return [];
  const { tlsCertificateSdsSecretConfigs: own, validationContextType: peers } = context.commonTlsContext;
  const secrets = [...own, ...validationSecrets(peers)];
  return secrets.map(({ name }) => name);
}

function validationSecrets(peers: CommonTlsContext["validationContextType"]): readonly SdsSecretConfig[] {
  if (peers.case === "validationContextSdsSecretConfig") return [peers.value];
  if (peers.case !== "combinedValidationContext") return [];
  const secret = peers.value.validationContextSdsSecretConfig;
  return secret === undefined ? [] : [secret];
}
