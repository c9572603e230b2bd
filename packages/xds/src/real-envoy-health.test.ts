import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { HealthStatus } from "@heddle/envoy/gen/envoy/config/core/v3/health_check_pb.js";
import { HealthCheckSpecifierSchema } from "@heddle/envoy/gen/envoy/service/health/v3/hds_pb.js";
import type { HealthHooks } from "./hooks.ts";
import { startServer, TEST_TLS, TestControlPlane } from "./testkit/control-plane.ts";
import { startEnvoy } from "./testkit/real-envoy.ts";

test("serveXds() has a real Envoy watch an application's port, and hears when it goes", async () => {
  const app = createServer((socket) => socket.on("error", () => {}));
  app.listen(0, "127.0.0.1");
  await once(app, "listening");
  const statuses = new Map<HealthStatus, PromiseWithResolvers<void>>([
    [HealthStatus.HEALTHY, Promise.withResolvers()],
    [HealthStatus.UNHEALTHY, Promise.withResolvers()],
  ]);
  const specifier = fromJson(HealthCheckSpecifierSchema, checkPort((app.address() as AddressInfo).port));
  const health: HealthHooks = {
    connect: async () => ({
      attach: (send) => send(specifier),
      receive: ({ clusterEndpointsHealth: [cluster] }) => {
        assert.equal(cluster?.clusterName, "app");
        const status = cluster.localityEndpointsHealth[0]?.endpointsHealth[0]?.healthStatus;
        if (status !== undefined) statuses.get(status)?.resolve();
      },
      close: () => {},
    }),
  };
  await using server = await startServer(new TestControlPlane(), { health });
  const options = { nodeId: "default.web", adsPort: server.port, ca: TEST_TLS.cert, healthDiscovery: true };
  await using _envoy = await startEnvoy(options);
  await statuses.get(HealthStatus.HEALTHY)?.promise;
  app.close();
  await statuses.get(HealthStatus.UNHEALTHY)?.promise;
});

function checkPort(port: number): JsonValue {
  const address = { socket_address: { address: "127.0.0.1", port_value: port } };
  const often = { timeout: "1s", interval: "0.1s", no_traffic_interval: "0.1s" };
  const check = {
    ...often,
    unhealthy_threshold: 1,
    healthy_threshold: 1,
    reuse_connection: false,
    tcp_health_check: {},
  };
  return {
    interval: "0.2s",
    cluster_health_checks: [
      { cluster_name: "app", health_checks: [check], locality_endpoints: [{ endpoints: [{ address }] }] },
    ],
  };
}
