import { any } from "@heddle/envoy/any.ts";
import { encodeResource } from "@heddle/envoy/encode-resource.ts";
import type { EncodedResource } from "@heddle/envoy/encoded-resource.ts";
import type { TransportSocketSchema } from "@heddle/envoy/gen/envoy/config/core/v3/base_pb.js";
import { ListenerSchema } from "@heddle/envoy/gen/envoy/config/listener/v3/listener_pb.js";
import { LuaSchema } from "@heddle/envoy/gen/envoy/extensions/filters/http/lua/v3/lua_pb.js";
import { RouterSchema } from "@heddle/envoy/gen/envoy/extensions/filters/http/router/v3/router_pb.js";
import { HttpConnectionManagerSchema } from "@heddle/envoy/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { typedConfig } from "@heddle/envoy/typed-config.ts";
import type { Init } from "@heddle/engine/emit/common.ts";

/** Where a script answers. */
interface Place {
  readonly address: Init<typeof ListenerSchema>["address"];
  readonly script: string;
  readonly transportSocket?: Init<typeof TransportSocketSchema> | undefined;
}

/** A listener whose requests a script answers; those that it leaves alone are told 404. */
export function scriptListener(name: string, { address, script, transportSocket }: Place): EncodedResource {
  const manager = any(HttpConnectionManagerSchema, {
    statPrefix: name,
    routeSpecifier: { case: "routeConfig", value: { name, virtualHosts: [{ name, domains: ["*"] }] } },
    httpFilters: [
      {
        name: "envoy.filters.http.lua",
        configType: typedConfig(LuaSchema, {
          defaultSourceCode: { specifier: { case: "inlineString", value: script } },
        }),
      },
      { name: "envoy.filters.http.router", configType: typedConfig(RouterSchema, {}) },
    ],
  });
  const filters = [
    {
      name: "envoy.filters.network.http_connection_manager",
      configType: { case: "typedConfig", value: manager },
    } as const,
  ];
  return encodeResource(ListenerSchema, name, {
    name,
    address,
    statPrefix: name,
    // Two proxies on one port would each get half of the calls; so the second one is refused, and says so.
    enableReusePort: false,
    filterChains: [{ filters, ...(transportSocket === undefined ? {} : { transportSocket }) }],
  });
}
