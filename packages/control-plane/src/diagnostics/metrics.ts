import { collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Meshes } from "../mesh/meshes.ts";
import type { Sessions } from "../proxies/sessions.ts";

/** The control plane's own metrics, in Prometheus' form. */
export interface Metrics {
  readonly registry: Registry;
  readonly observeRequest: (request: { method: string; route: string; status: number; seconds: number }) => void;
}

/** Registers what is measured. Gauges are read when somebody asks, so they cost nothing in between. */
export function createMetrics(sources: {
  readonly meshes: Meshes;
  readonly sessions: Sessions;
  readonly version: string;
  readonly instanceId: string;
}): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: "api_server_http_request_duration_seconds",
    help: "Time to answer REST requests",
    labelNames: ["method", "handler", "code"],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
    registers: [registry],
  });
  new Gauge({
    name: "cp_info",
    help: "Version and instance of this control plane",
    labelNames: ["version", "instance_id", "product"],
    registers: [registry],
    collect() {
      this.set({ version: sources.version, instance_id: sources.instanceId, product: "Heddle" }, 1);
    },
  });
  new Gauge({
    name: "xds_streams_active",
    help: "Connected proxies",
    registers: [registry],
    collect() {
      this.set(sources.sessions.size);
    },
  });
  proxyGauges(registry, sources.meshes);
  return {
    registry,
    observeRequest: ({ method, route, status, seconds }) =>
      requests.observe({ method, handler: route, code: String(status) }, seconds),
  };
}

function proxyGauges(registry: Registry, meshes: Meshes): void {
  new Gauge({
    name: "mesh_dataplanes",
    help: "Dataplanes by mesh and state",
    labelNames: ["mesh", "state"],
    registers: [registry],
    collect() {
      this.reset();
      for (const { snapshot, proxies } of meshes.all()) {
        const mesh = snapshot.mesh.name;
        const rejecting = [...proxies.values()].filter((proxy) => proxy.rejections.size > 0).length;
        this.set({ mesh, state: "online" }, proxies.size);
        this.set({ mesh, state: "offline" }, snapshot.dataplanes.size - proxies.size);
        this.set({ mesh, state: "rejecting" }, rejecting);
        const synced = [...proxies.values()].filter((proxy) => proxy.isSynced).length;
        this.set({ mesh, state: "synced" }, synced);
      }
    },
  });
  new Gauge({
    name: "xds_cert_expiration_timestamp_seconds",
    help: "When the first certificate of a connected proxy ends",
    labelNames: ["mesh"],
    registers: [registry],
    collect() {
      this.reset();
      for (const { snapshot, proxies } of meshes.all()) {
        const ends = [...proxies.values()].flatMap(({ held }) => held?.notAfter.getTime() ?? []);
        if (ends.length > 0) this.set({ mesh: snapshot.mesh.name }, Math.min(...ends) / 1_000);
      }
    },
  });
}
