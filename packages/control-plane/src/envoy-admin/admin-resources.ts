import { create } from "@bufbuild/protobuf";
import { any } from "@heddle/envoy/any.ts";
import { duration } from "@heddle/envoy/duration.ts";
import { encodeResource } from "@heddle/envoy/encode-resource.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import { Cluster_DiscoveryType, ClusterSchema } from "@heddle/envoy/gen/envoy/config/cluster/v3/cluster_pb.js";
import type { AddressSchema } from "@heddle/envoy/gen/envoy/config/core/v3/address_pb.js";
import { ListenerSchema } from "@heddle/envoy/gen/envoy/config/listener/v3/listener_pb.js";
import type { RouteSchema } from "@heddle/envoy/gen/envoy/config/route/v3/route_components_pb.js";
import { RouterSchema } from "@heddle/envoy/gen/envoy/extensions/filters/http/router/v3/router_pb.js";
import {
  HttpConnectionManager_CodecType,
  HttpConnectionManager_PathWithEscapedSlashesAction,
  HttpConnectionManagerSchema,
} from "@heddle/envoy/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { TlsParameters_TlsProtocol } from "@heddle/envoy/gen/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import { DownstreamTlsContextSchema } from "@heddle/envoy/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { StringMatcherSchema } from "@heddle/envoy/gen/envoy/type/matcher/v3/string_pb.js";
import { typedConfig } from "@heddle/envoy/typed-config.ts";
import { type Init, socketAddress } from "@heddle/engine/emit/common.ts";
import { NO_RESUMPTION } from "@heddle/engine/emit/tls.ts";
import type { CertificateAndKey } from "@heddle/identity/certificate.ts";
import type { Admin } from "../bootstrap/admin-address.ts";

/** Kuma's name for the listener and the cluster behind it. */
export const ENVOY_ADMIN = "system_envoy_admin";

/** What a control plane may ask for. Everything else of the admin interface, `/quitquitquit` above all, has no route. */
export const ADMIN_PATHS = ["/config_dump", "/clusters", "/stats", "/ready"] as const;
export type AdminPath = (typeof ADMIN_PATHS)[number];

/** Longer than Envoy takes for its largest answers. */
const ANSWER_MILLIS = 30_000;

export interface AdminPort {
  readonly address: string;
  readonly port: number;
  readonly admin: Admin;
  /** What the proxy shows to callers. */
  readonly certificate: CertificateAndKey;
  /** PEM of the authority that callers need a certificate of. */
  readonly callersPem: string;
  /** What Envoy has to be told to agree on keys with; absent: it does right by itself. */
  readonly keyExchanges?: readonly string[];
}

/** What lets control planes, and nobody else, read from the admin interface: one port, and the way on. */
export function adminResources(port: AdminPort): readonly EncodedResource[] {
  return [listener(port), cluster(port.admin)];
}

function listener({ address, port, certificate, callersPem, keyExchanges = [] }: AdminPort): EncodedResource {
  return encodeResource(ListenerSchema, ENVOY_ADMIN, {
    name: ENVOY_ADMIN,
    address: socketAddress(address, port),
    statPrefix: ENVOY_ADMIN,
    // Two proxies on one port would each get half of the calls; so the second one is refused, and says so.
    enableReusePort: false,
    filterChains: [
      {
        filters: [{ name: HTTP_MANAGER_NAME, configType: { case: "typedConfig", value: HTTP_MANAGER } }],
        transportSocket: {
          name: "envoy.transport_sockets.tls",
          configType: typedConfig(DownstreamTlsContextSchema, {
            requireClientCertificate: true,
            ...NO_RESUMPTION,
            commonTlsContext: {
              tlsParams: {
                tlsMinimumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_3,
                tlsMaximumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_3,
                ecdhCurves: [...keyExchanges],
              },
              tlsCertificates: [
                { certificateChain: inline(certificate.certificatePem), privateKey: inline(certificate.keyPem) },
              ],
              validationContextType: { case: "validationContext", value: { trustedCa: inline(callersPem) } },
            },
          }),
        },
      },
    ],
  });
}

function route(path: AdminPath): Init<typeof RouteSchema> {
  return {
    match: {
      pathSpecifier: { case: "path", value: path },
      caseSensitive: true,
      headers: [
        {
          name: ":method",
          headerMatchSpecifier: {
            case: "stringMatch",
            value: create(StringMatcherSchema, { matchPattern: { case: "exact", value: "GET" } }),
          },
        },
      ],
    },
    action: {
      case: "route",
      value: { clusterSpecifier: { case: "cluster", value: ENVOY_ADMIN }, timeout: duration(ANSWER_MILLIS) },
    },
  };
}

const HTTP_MANAGER_NAME = "envoy.filters.network.http_connection_manager";

// The same for every proxy, so packed once.
const HTTP_MANAGER = any(HttpConnectionManagerSchema, {
  statPrefix: ENVOY_ADMIN,
  codecType: HttpConnectionManager_CodecType.HTTP1,
  routeSpecifier: {
    case: "routeConfig",
    value: {
      name: ENVOY_ADMIN,
      virtualHosts: [{ name: ENVOY_ADMIN, domains: ["*"], routes: ADMIN_PATHS.map(route) }],
    },
  },
  normalizePath: true,
  pathWithEscapedSlashesAction: HttpConnectionManager_PathWithEscapedSlashesAction.REJECT_REQUEST,
  httpFilters: [{ name: "envoy.filters.http.router", configType: typedConfig(RouterSchema, {}) }],
});

function cluster(admin: Admin): EncodedResource {
  return encodeResource(ClusterSchema, ENVOY_ADMIN, {
    name: ENVOY_ADMIN,
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
    connectTimeout: duration(1_000),
    loadAssignment: {
      clusterName: ENVOY_ADMIN,
      endpoints: [{ lbEndpoints: [{ hostIdentifier: { case: "endpoint", value: { address: addressOf(admin) } } }] }],
    },
  });
}

function addressOf(admin: Admin): Init<typeof AddressSchema> {
  return admin.kind === "port"
    ? socketAddress(admin.address, admin.port)
    : { address: { case: "pipe", value: { path: admin.path } } };
}

function inline(text: string): { specifier: { case: "inlineString"; value: string } } {
  return { specifier: { case: "inlineString", value: text } };
}
