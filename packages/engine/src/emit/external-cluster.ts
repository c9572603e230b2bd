import { isIP } from "node:net";
import { any } from "@heddle/envoy/any.ts";
import {
  Cluster_DiscoveryType,
  Cluster_DnsLookupFamily,
  type ClusterSchema,
} from "@heddle/envoy/gen/envoy/config/cluster/v3/cluster_pb.js";
import type { TransportSocketSchema } from "@heddle/envoy/gen/envoy/config/core/v3/base_pb.js";
import type { LocalityLbEndpointsSchema } from "@heddle/envoy/gen/envoy/config/endpoint/v3/endpoint_components_pb.js";
import {
  type SubjectAltNameMatcherSchema,
  SubjectAltNameMatcher_SanType,
} from "@heddle/envoy/gen/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import {
  type CommonTlsContextSchema,
  UpstreamTlsContextSchema,
} from "@heddle/envoy/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import {
  type Caller,
  type CertificateName,
  type External,
  type ExternalEndpoint,
  type OutsideTls,
  whyClosed,
} from "../plan/external.ts";
import type { Destination } from "../plan/plan.ts";
import { FROM_ADS, type Init, isHttp, socketAddress } from "./common.ts";
import { PROTOCOLS } from "./tls.ts";

/** The part of a cluster that tells where a destination outside of the mesh is, and how it is spoken to. */
export function outside(destination: Destination, external: External, caller: Caller): Init<typeof ClusterSchema> {
  const { tls } = external;
  const isClosed = whyClosed(external, caller) !== undefined;
  const endpoints = isClosed ? [] : external.endpoints;
  const looksUp = endpoints.some(isName);
  return {
    clusterDiscoveryType: {
      case: "type",
      value: looksUp ? Cluster_DiscoveryType.STRICT_DNS : Cluster_DiscoveryType.STATIC,
    },
    // Each address becomes an endpoint of its own, so one of a family that the machine cannot reach would cost requests.
    ...(looksUp ? { dnsLookupFamily: Cluster_DnsLookupFamily.V4_PREFERRED } : {}),
    loadAssignment: { clusterName: destination.key, endpoints: groups(endpoints) },
    // Without endpoints nobody is called, and secrets that may be missing need not be waited for.
    ...(tls === undefined || isClosed
      ? {}
      : { transportSocket: socket(destination, tls, external, caller.systemCaPath) }),
  };
}

function groups(endpoints: readonly ExternalEndpoint[]): Init<typeof LocalityLbEndpointsSchema>[] {
  const priorities = [...new Set(endpoints.map(({ priority }) => priority))].toSorted((a, b) => a - b);
  return priorities.map((priority) => ({
    priority,
    lbEndpoints: endpoints
      .filter((each) => each.priority === priority)
      .map((each) => ({ hostIdentifier: { case: "endpoint" as const, value: endpointOf(each) } })),
  }));
}

function endpointOf(endpoint: ExternalEndpoint) {
  const { address, port } = endpoint;
  if (port === 0) return { address: { address: { case: "pipe" as const, value: { path: address } } } };
  // The name is what requests are addressed to.
  return { address: socketAddress(address, port), hostname: isName(endpoint) ? address : "" };
}

function isName({ address, port }: ExternalEndpoint): boolean {
  return port !== 0 && isIP(address) === 0;
}

function socket(
  { protocol }: Destination,
  tls: OutsideTls,
  { endpoints }: External,
  systemCaPath: string | undefined,
): Init<typeof TransportSocketSchema> {
  const names = [...new Set(endpoints.filter(isName).map(({ address }) => address.replace(/\.$/, "")))];
  const config = any(UpstreamTlsContextSchema, {
    // An address is no server name in TLS (RFC 6066).
    sni: tls.serverName ?? names[0] ?? "",
    autoHostSni: tls.serverName === undefined && names.length > 1,
    allowRenegotiation: tls.allowRenegotiation,
    commonTlsContext: {
      alpnProtocols: isHttp(protocol) ? [protocol === "http" ? "http/1.1" : "h2"] : [],
      ...versions(tls),
      ...(tls.clientSecret === undefined
        ? {}
        : { tlsCertificateSdsSecretConfigs: [{ name: tls.clientSecret, sdsConfig: FROM_ADS }] }),
      ...validation(tls, systemCaPath),
    },
  });
  return { name: "envoy.transport_sockets.tls", configType: { case: "typedConfig", value: config } };
}

function versions({ minVersion, maxVersion }: OutsideTls): Init<typeof CommonTlsContextSchema> {
  if (minVersion === undefined && maxVersion === undefined) return {};
  return {
    tlsParams: {
      ...(minVersion === undefined ? {} : { tlsMinimumProtocolVersion: PROTOCOLS[minVersion] }),
      ...(maxVersion === undefined ? {} : { tlsMaximumProtocolVersion: PROTOCOLS[maxVersion] }),
    },
  };
}

function validation(
  { authorities, names }: OutsideTls,
  systemCaPath: string | undefined,
): Init<typeof CommonTlsContextSchema> {
  if (authorities === "anybody") return {};
  const matchTypedSubjectAltNames = names.flatMap(nameMatchers);
  if (authorities !== "system") {
    return {
      validationContextType: {
        case: "combinedValidationContext",
        value: {
          defaultValidationContext: { matchTypedSubjectAltNames },
          validationContextSdsSecretConfig: { name: authorities.secret, sdsConfig: FROM_ADS },
        },
      },
    };
  }
  const trustedCa = { specifier: { case: "filename" as const, value: systemCaPath ?? "" } };
  return {
    validationContextType: { case: "validationContext", value: { trustedCa, matchTypedSubjectAltNames } },
  };
}

// A certificate may carry a name or an address, and a user's text does not say which of them it is.
function nameMatchers({ type, value }: CertificateName): Init<typeof SubjectAltNameMatcherSchema>[] {
  const matchPattern = type === "Prefix" ? { case: "prefix" as const, value } : { case: "exact" as const, value };
  return [SubjectAltNameMatcher_SanType.DNS, SubjectAltNameMatcher_SanType.IP_ADDRESS].map((sanType) => ({
    sanType,
    matcher: { matchPattern },
  }));
}
