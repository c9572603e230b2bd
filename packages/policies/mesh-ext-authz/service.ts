import { hostAndPort, httpUrl } from "@heddle/engine/emit/collector.ts";
import { type Init, present } from "@heddle/engine/emit/common.ts";
import { systemCluster, systemName } from "@heddle/engine/emit/system-cluster.ts";
import { stringMatcher } from "@heddle/engine/emit/text-match.ts";
import type { ProxyFacts } from "@heddle/engine/proxy-facts.ts";
import { duration } from "@heddle/envoy/duration.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import type { GrpcServiceSchema } from "@heddle/envoy/gen/envoy/config/core/v3/grpc_service_pb.js";
import type {
  ExtAuthzSchema,
  HttpServiceSchema,
} from "@heddle/envoy/gen/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb.js";
import type { ListStringMatcherSchema } from "@heddle/envoy/gen/envoy/type/matcher/v3/string_pb.js";
import { contentHash } from "@heddle/model/canonical-json.ts";
import { toMillis } from "@heddle/model/duration.ts";
import type { ExtAuthzConf, GrpcService, HttpService } from "./schema.ts";

/** How Envoy asks a service: what filters say of it, and the cluster that this names. */
export interface AuthzService {
  readonly fields: Pick<Init<typeof ExtAuthzSchema>, "services" | "allowedHeaders">;
  /** For connections, which are asked about by gRPC only. */
  readonly grpc: Init<typeof GrpcServiceSchema> | undefined;
  readonly cluster: EncodedResource;
}

/** The service that a conf names; undefined when it names none. */
export function serviceOf({ grpc, http }: ExtAuthzConf, proxy: ProxyFacts): AuthzService | undefined {
  if (grpc !== undefined) return grpcService(grpc, proxy);
  return http && httpService(http, proxy);
}

function grpcService(
  { target, tls, timeout, allowedHeaders }: GrpcService,
  proxy: ProxyFacts,
): AuthzService | undefined {
  const { host, port } = hostAndPort(target) ?? {};
  if (host === undefined || port === undefined) return undefined;
  const clusterName = nameOf("meshextauthz_grpc", target, tls);
  const endpoint = { address: host, port, http2: true, tls: tls && trustOf(tls, proxy) };
  const value: Init<typeof GrpcServiceSchema> = {
    targetSpecifier: { case: "envoyGrpc", value: { clusterName, authority: target } },
    timeout: timeoutOf(timeout),
  };
  return {
    fields: present({ services: { case: "grpcService", value } as const, allowedHeaders: listOf(allowedHeaders) }),
    grpc: value,
    cluster: systemCluster(clusterName, endpoint),
  };
}

function httpService(conf: HttpService, proxy: ProxyFacts): AuthzService | undefined {
  const { url, tls = {}, timeout, pathPrefix, allowedHeaders, headersToUpstream, headersToDownstream } = conf;
  const read = httpUrl(url);
  if (read === undefined) return undefined;
  const { host: address, port } = read;
  const cluster = nameOf("meshextauthz_http", url, read.tls ? tls : undefined);
  const value: Init<typeof HttpServiceSchema> = {
    serverUri: { uri: url, httpUpstreamType: { case: "cluster", value: cluster }, timeout: timeoutOf(timeout) },
    ...(pathPrefix === undefined ? {} : { pathPrefix }),
    authorizationResponse: present({
      allowedUpstreamHeaders: listOf(headersToUpstream),
      allowedClientHeaders: listOf(headersToDownstream),
    }),
  };
  return {
    fields: present({ services: { case: "httpService", value } as const, allowedHeaders: listOf(allowedHeaders) }),
    grpc: undefined,
    cluster: systemCluster(cluster, { address, port, http2: false, tls: read.tls ? trustOf(tls, proxy) : undefined }),
  };
}

type Tls = NonNullable<GrpcService["tls"]>;

// Whoever answers decides who gets in, so it is never "anybody".
function trustOf({ caCertificate }: Tls, { node }: ProxyFacts) {
  return { authorities: node.systemCaPath, authoritiesPem: caCertificate, mustVerify: true };
}

/** Services that are reached differently have clusters of their own. */
function nameOf(purpose: string, what: string, tls: Tls | undefined): string {
  const trust = tls?.caCertificate === undefined ? "" : ` ${contentHash(tls.caCertificate).slice(0, 8)}`;
  return systemName(purpose, `${what}${tls === undefined ? "" : " tls"}${trust}`);
}

function timeoutOf(timeout: string | undefined) {
  return duration(timeout === undefined ? TIMEOUT_MILLIS : toMillis(timeout));
}

// Envoy's own.
const TIMEOUT_MILLIS = 200;

function listOf(names: readonly string[] | undefined): Init<typeof ListStringMatcherSchema> | undefined {
  if (names === undefined) return undefined;
  const patterns = names.map((name) => {
    const isStart = name.endsWith("*");
    const value = isStart ? name.slice(0, -1) : name;
    return { ...stringMatcher({ type: isStart ? "Prefix" : "Exact", value }), ignoreCase: true };
  });
  // Envoy wants at least one: no header has an empty name.
  return { patterns: patterns.length > 0 ? patterns : [stringMatcher({ type: "Exact", value: "" })] };
}
