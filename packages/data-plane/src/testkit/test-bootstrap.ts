import { stringify } from "yaml";

/** A bootstrap that needs no ADS: an admin socket, and optionally one HTTP listener in front of an application. */
export function testBootstrap(
  workDir: unknown,
  route?: { readonly listenPort: number; readonly applicationPort: number },
): string {
  const admin = { address: { pipe: { path: `${String(workDir)}/kuma-envoy-admin.sock`, mode: 0o600 } } };
  if (route === undefined) return stringify({ admin });
  return stringify({
    admin,
    staticResources: {
      listeners: [{ name: "inbound", address: loopback(route.listenPort), filterChains: [{ filters: [http()] }] }],
      clusters: [
        {
          name: "application",
          type: "STATIC",
          loadAssignment: {
            clusterName: "application",
            endpoints: [{ lbEndpoints: [{ endpoint: { address: loopback(route.applicationPort) } }] }],
          },
        },
      ],
    },
  });
}

function http(): object {
  return {
    name: "http",
    typedConfig: {
      "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
      statPrefix: "inbound",
      routeConfig: {
        virtualHosts: [
          { name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: "application" } }] },
        ],
      },
      httpFilters: [
        {
          name: "router",
          typedConfig: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
        },
      ],
    },
  };
}

function loopback(portValue: number): object {
  return { socketAddress: { address: "127.0.0.1", portValue } };
}
