import { INSPECT_PORT } from "../envoy-admin/admin-target.ts";
import { CONTROL_PLANE_HOST } from "../rate-limit/control-plane-host.ts";
import type { Admin } from "./admin-address.ts";
import type { BootstrapRequest } from "./bootstrap-request.ts";
import type { BootstrapSettings } from "./envoy-bootstrap.ts";

/**
 * What the proxy tells about itself on every stream, under Kuma's keys. Numbers are text there, and absent fields are
 * left out. The Dataplane travels here too, so that any control plane can register a proxy it never saw.
 */
export function nodeMetadata(
  request: BootstrapRequest,
  admin: Admin,
  { xdsHost, dependencies = {} }: Pick<BootstrapSettings, "xdsHost" | "dependencies">,
): Record<string, unknown> {
  return withoutAbsent({
    version: { ...request.version, dependencies },
    features: request.features,
    workdir: request.workdir,
    metricsCertPath: request.metricsCertPath,
    metricsKeyPath: request.metricsKeyPath,
    systemCaPath: request.systemCaPath,
    ipv6Enabled: request.ipv6Enabled,
    "spireAgent.socketPath": request.spireSocketPath,
    "dataplane.resource": request.dataplaneResource,
    "dataplane.proxyType": request.proxyType,
    ...adminMetadata(admin),
    [CONTROL_PLANE_HOST]: xdsHost,
    [INSPECT_PORT]: decimal(request.inspectPort),
    "dataplane.dns.port": decimal(request.dnsPort),
    "dataplane.readinessReporter.port": decimal(request.readinessPort),
    "dataplane.appProbeProxy.enabled": request.appProbeProxyEnabled ? "true" : undefined,
    dynamicMetadata: request.dynamicMetadata,
    transparentProxy: request.transparentProxy,
    otelEnvInventory: request.otelEnv,
  });
}

function adminMetadata(admin: Admin): Record<string, unknown> {
  return admin.kind === "socket"
    ? { "dataplane.admin.socketPath": admin.path }
    : { "dataplane.admin.address": admin.address, "dataplane.admin.port": decimal(admin.port) };
}

function decimal(port: number | undefined): string | undefined {
  return port === undefined ? undefined : String(port);
}

function withoutAbsent(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
