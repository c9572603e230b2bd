import { any } from "@heddle/envoy/any.ts";
import { duration } from "@heddle/envoy/duration.ts";
import type { FilterSchema } from "@heddle/envoy/gen/envoy/config/listener/v3/listener_components_pb.js";
import type { VirtualHostSchema } from "@heddle/envoy/gen/envoy/config/route/v3/route_components_pb.js";
import { RouterSchema } from "@heddle/envoy/gen/envoy/extensions/filters/http/router/v3/router_pb.js";
import {
  HttpConnectionManager_CodecType,
  HttpConnectionManager_ServerHeaderTransformation,
  HttpConnectionManagerSchema,
} from "@heddle/envoy/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import type { PassthroughChain, PassthroughHost } from "../plan/passthrough.ts";
import type { Init } from "./common.ts";

type Hosts = Extract<PassthroughChain["to"], { readonly hosts: unknown }>;

/** Reads requests for the outside, and lets those for known hosts pass as they are. */
export function passthroughHttp(name: string, { hosts, others }: Hosts): Init<typeof FilterSchema> {
  const virtualHosts = [...hosts.map(virtualHost), others === undefined ? NO_MATCH : everybody(others)];
  const config = any(HttpConnectionManagerSchema, {
    statPrefix: name,
    codecType: HttpConnectionManager_CodecType.AUTO,
    // Written out here: a policy that changes hosts changes this listener anyway, when it changes its clusters.
    routeSpecifier: { case: "routeConfig", value: { name, virtualHosts, validateClusters: false } },
    commonHttpProtocolOptions: { idleTimeout: duration(IDLE_MILLIS) },
    streamIdleTimeout: duration(IDLE_MILLIS),
    upgradeConfigs: [{ upgradeType: "websocket" }],
    // The other side is outside of the mesh: it learns nothing of Envoy, nor does the answer.
    generateRequestId: false,
    serverHeaderTransformation: HttpConnectionManager_ServerHeaderTransformation.PASS_THROUGH,
    httpFilters: [
      {
        name: "envoy.filters.http.router",
        configType: { case: "typedConfig", value: any(RouterSchema, { suppressEnvoyHeaders: true }) },
      },
    ],
  });
  return {
    name: "envoy.filters.network.http_connection_manager",
    configType: { case: "typedConfig", value: config },
  };
}

// Bytes that are only moved may be quiet for an hour; requests get no less.
const IDLE_MILLIS = 3_600_000;

function virtualHost({ name, domains, cluster }: PassthroughHost): Init<typeof VirtualHostSchema> {
  return { ...everybody(cluster), name, domains: [...domains] };
}

function everybody(cluster: string): Init<typeof VirtualHostSchema> {
  const to = { clusterSpecifier: { case: "cluster", value: cluster }, timeout: duration(0) } as const;
  return {
    name: "others",
    domains: ["*"],
    routes: [{ match: ANYTHING, action: { case: "route", value: to } }],
  };
}

const ANYTHING = { pathSpecifier: { case: "prefix", value: "/" } } as const;

const NO_MATCH = {
  name: "no_match",
  domains: ["*"],
  routes: [
    {
      match: ANYTHING,
      action: {
        case: "directResponse",
        value: {
          status: 503,
          body: {
            specifier: {
              case: "inlineString",
              value: "heddle: no MeshPassthrough lets requests for this host leave; add it to default.appendMatch\n",
            },
          },
        },
      },
    },
  ],
} satisfies Init<typeof VirtualHostSchema>;
