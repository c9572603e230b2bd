import { create } from "@bufbuild/protobuf";
import { duration } from "@heddle/envoy/duration.ts";
import { HealthStatus } from "@heddle/envoy/gen/envoy/config/core/v3/health_check_pb.js";
import {
  type EndpointHealthResponse,
  type HealthCheckSpecifier,
  HealthCheckSpecifierSchema,
} from "@heddle/envoy/gen/envoy/service/health/v3/hds_pb.js";
import { socketAddress } from "@heddle/engine/emit/common.ts";
import { toMillis } from "@heddle/model/duration.ts";
import type { DataplaneSpec, Inbound } from "@heddle/model/kinds/dataplane.ts";
import type { ConnectRequest, HealthConnection, HealthHooks } from "@heddle/xds/hooks.ts";
import type { Presence } from "../proxies/presence.ts";
import type { Sessions } from "../proxies/sessions.ts";

const DEFAULT_TIMEOUT = 2_000;

export interface HealthDiscoveryOptions {
  readonly sessions: Sessions;
  readonly presence: Presence;
  /** Milliseconds between two looks at an application, unless its inbound says otherwise. */
  readonly intervalMillis: number;
}

/**
 * Lets each proxy look at its own application, where the Dataplane asks for it with a `serviceProbe`, and takes ports
 * that do not answer out of load balancing. Until the first good answer such a port counts as not ready.
 */
export class HealthDiscovery implements HealthHooks {
  readonly #options: HealthDiscoveryOptions;

  constructor(options: HealthDiscoveryOptions) {
    this.#options = options;
  }

  async connect(request: ConnectRequest): Promise<HealthConnection> {
    const { sessions, presence, intervalMillis } = this.#options;
    const { dataplane, close } = await sessions.accompany(request);
    const { mesh, name, spec } = dataplane;
    const probed = (spec.networking.inbound ?? []).filter(({ serviceProbe }) => serviceProbe !== undefined);
    if (probed.length > 0)
      presence.unhealthy(
        mesh,
        name,
        probed.map(({ port }) => port),
      );
    return {
      attach: (send) => send(specifierFor(spec, probed, intervalMillis)),
      receive: (response) => presence.unhealthy(mesh, name, unhealthyPorts(probed, response)),
      close,
    };
  }
}

function specifierFor(spec: DataplaneSpec, probed: readonly Inbound[], interval: number): HealthCheckSpecifier {
  return create(HealthCheckSpecifierSchema, {
    interval: duration(interval),
    clusterHealthChecks: probed.map((inbound) => {
      const { serviceProbe = {} } = inbound;
      return {
        clusterName: clusterName(inbound),
        localityEndpoints: [
          {
            endpoints: [
              { address: socketAddress(inbound.serviceAddress ?? "127.0.0.1", inbound.servicePort ?? inbound.port) },
            ],
          },
        ],
        healthChecks: [
          {
            interval: duration(toMillis(serviceProbe.interval) ?? interval),
            noTrafficInterval: duration(toMillis(serviceProbe.interval) ?? interval),
            timeout: duration(toMillis(serviceProbe.timeout) ?? DEFAULT_TIMEOUT),
            healthyThreshold: serviceProbe.healthyThreshold ?? 1,
            unhealthyThreshold: serviceProbe.unhealthyThreshold ?? 1,
            healthChecker: { case: "tcpHealthCheck" as const, value: {} },
          },
        ],
      };
    }),
  });
}

function unhealthyPorts(probed: readonly Inbound[], response: EndpointHealthResponse): readonly number[] {
  const healthy = new Set(
    response.clusterEndpointsHealth.flatMap(({ clusterName: cluster, localityEndpointsHealth }) =>
      localityEndpointsHealth.every(({ endpointsHealth }) =>
        endpointsHealth.every(({ healthStatus }) => healthStatus === HealthStatus.HEALTHY),
      )
        ? [cluster]
        : [],
    ),
  );
  return probed.filter((inbound) => !healthy.has(clusterName(inbound))).map(({ port }) => port);
}

function clusterName({ port }: Inbound): string {
  return `health_of_inbound_${port}`;
}
