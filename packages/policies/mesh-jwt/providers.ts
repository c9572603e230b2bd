import { httpUrl } from "@heddle/engine/emit/collector.ts";
import { type Init, present } from "@heddle/engine/emit/common.ts";
import { systemCluster, systemName } from "@heddle/engine/emit/system-cluster.ts";
import type { ProxyFacts } from "@heddle/engine/proxy-facts.ts";
import { duration } from "@heddle/envoy/duration.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import type {
  JwtProviderSchema,
  RemoteJwksSchema,
} from "@heddle/envoy/gen/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js";
import { contentHash } from "@heddle/model/canonical-json.ts";
import { toMillis } from "@heddle/model/duration.ts";
import type { Provider, RemoteJwks } from "./schema.ts";

type EnvoyProvider = Init<typeof JwtProviderSchema>;

/** A provider in Envoy's form. What a token says is left to later filters under the provider's name. */
export function providerFor(provider: Provider): EnvoyProvider {
  const { name, issuer, audiences = [], jwks, forward = false, forwardPayloadHeader } = provider;
  const { fromHeaders = [], fromParams = [], fromCookies = [], claimToHeaders = [] } = provider;
  return {
    issuer,
    audiences: [...audiences],
    jwksSourceSpecifier: keysFor(jwks),
    fromHeaders: fromHeaders.map(({ name: header, prefix = "" }) => ({ name: header, valuePrefix: prefix })),
    fromParams: [...fromParams],
    fromCookies: [...fromCookies],
    forward,
    ...present({ forwardPayloadHeader }),
    claimToHeaders: claimToHeaders.map(({ claim, header }) => ({ claimName: claim, headerName: header })),
    payloadInMetadata: name,
    // RFC 8693 and Entra ID: several words in one text.
    normalizePayloadInMetadata: { spaceDelimitedClaims: ["scope", "scp"] },
  };
}

function keysFor({ inline, remote }: Provider["jwks"]): NonNullable<EnvoyProvider["jwksSourceSpecifier"]> {
  if (remote === undefined) {
    return { case: "localJwks", value: { specifier: { case: "inlineString", value: inline ?? "" } } };
  }
  return { case: "remoteJwks", value: remoteKeys(remote) };
}

// Fetched ahead of the first request, and kept until they are fetched anew; nobody is let in while there are none.
function remoteKeys(remote: RemoteJwks): Init<typeof RemoteJwksSchema> {
  const { url, timeout, cacheDuration } = remote;
  return {
    httpUri: {
      uri: url,
      httpUpstreamType: { case: "cluster", value: clusterNameOf(remote) },
      timeout: duration(timeout === undefined ? TIMEOUT_MILLIS : toMillis(timeout)),
    },
    cacheDuration: duration(cacheDuration === undefined ? CACHE_MILLIS : toMillis(cacheDuration)),
    asyncFetch: {},
  };
}

const TIMEOUT_MILLIS = 5_000;
const CACHE_MILLIS = 600_000;

/** The clusters through which keys of these providers are fetched. */
export function clustersOf(providers: readonly Provider[], { node }: ProxyFacts): readonly EncodedResource[] {
  const remotes = providers.flatMap(({ jwks }) => jwks.remote ?? []);
  const byName = new Map(remotes.map((remote) => [clusterNameOf(remote), remote]));
  return [...byName].flatMap(([name, { url, caCertificate }]) => {
    const read = httpUrl(url);
    if (read === undefined) return [];
    const trust = { authorities: node.systemCaPath, authoritiesPem: caCertificate, mustVerify: true };
    const { host: address, port, tls } = read;
    return [systemCluster(name, { address, port, http2: false, tls: tls ? trust : undefined })];
  });
}

/** One cluster serves all keys of a server; one that is trusted differently has another. */
function clusterNameOf({ url, caCertificate }: RemoteJwks): string {
  const trust = caCertificate === undefined ? "" : ` ${contentHash(caCertificate).slice(0, 8)}`;
  return systemName("meshjwt_jwks", `${new URL(url).origin}${trust}`);
}
