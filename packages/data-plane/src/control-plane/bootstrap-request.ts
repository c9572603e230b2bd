import { join } from "node:path";
import type { Envoy } from "@heddle/envoy/find-envoy.ts";
import { ACCESS_LOG_PIPE_FEATURE } from "@heddle/model/access-log-pipe.ts";
import { TOKEN_SECRET } from "@heddle/model/token-secret.ts";
import type { DataplaneToken } from "../dataplane/dataplane-token.ts";
import type { LoadedDataplane } from "../dataplane/load-dataplane.ts";
import { FILES } from "../launch/work-dir.ts";
import type { DataplaneOptions } from "../options/settings.ts";
import type { ControlPlane } from "./control-plane.ts";

/** Which build of the launcher this is. */
export interface Build {
  readonly version: string;
  readonly gitTag?: string;
  readonly gitCommit?: string;
  readonly buildDate?: string;
}

/** The body of `POST /bootstrap` in Kuma's shape. */
export type BootstrapRequest = Readonly<Record<string, unknown>>;

/** What the request is made of. */
export interface RequestParts {
  readonly options: DataplaneOptions;
  readonly dataplane: LoadedDataplane;
  readonly token: DataplaneToken;
  readonly controlPlane: ControlPlane;
  readonly envoy: Envoy;
  readonly build: Build;
  readonly workDir: string;
  /** At which control planes may look into Envoy. */
  readonly inspectPort: number | undefined;
  /** Whether somebody sends on what is written into the pipe for access logs. */
  readonly hasLogPipe: boolean;
}

/** Says who the proxy is, what it can do and where it works. */
export function bootstrapRequest(parts: RequestParts): BootstrapRequest {
  const { options, dataplane, token, controlPlane, envoy, build, workDir, inspectPort } = parts;
  const { trust } = controlPlane;
  return {
    mesh: dataplane.mesh,
    name: dataplane.name,
    proxyType: options.proxyType,
    ...optional("dataplaneToken", token.token),
    ...optional("dataplaneTokenPath", token.file === undefined ? undefined : join(workDir, FILES.token)),
    ...optional("dataplaneResource", dataplane.resource),
    version: {
      kumaDp: { gitTag: "unknown", gitCommit: "unknown", buildDate: "unknown", ...build },
      envoy: { version: envoy.version, build: envoy.build, kumaDpCompatible: envoy.supported },
    },
    ...optional("caCert", trust.kind === "authorities" ? trust.pem : undefined),
    dynamicMetadata: options.dynamicMetadata,
    ...optional("adminPort", options.adminPort),
    ...optional("inspectPort", inspectPort),
    operatingSystem: process.platform,
    features: [...features(options, token), ...(parts.hasLogPipe ? [ACCESS_LOG_PIPE_FEATURE] : [])],
    resources: { maxHeapSizeBytes: options.maxMemoryBytes ?? 0 },
    workdir: workDir,
    ...optional("systemCaPath", options.systemCaPath),
    metricsResources: {
      ...optional("certPath", options.metricsCertPath),
      ...optional("keyPath", options.metricsKeyPath),
    },
    ipv6Enabled: options.ipv6Enabled,
    spireResources: optional("socketPath", options.spireSocket),
  };
}

/**
 * Kuma's names for what a launcher can do. Those that need a process beside Envoy all the time (the OpenTelemetry pipe,
 * the DNS proxy, the readiness reporter) are not claimed: there is no such process here.
 */
function features(options: DataplaneOptions, token: DataplaneToken): readonly string[] {
  return [
    "feature-strict-inbound-ports",
    "feature-reuse-port",
    ...(options.spireSocket === undefined ? [] : ["feature-spire"]),
    ...(options.bindOutbounds ? ["feature-bind-outbounds"] : []),
    ...(token.file === undefined ? [] : [TOKEN_SECRET.feature]),
  ];
}

function optional(key: string, value: unknown): Readonly<Record<string, unknown>> {
  return value === undefined ? {} : { [key]: value };
}
