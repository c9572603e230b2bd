import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Api, createApi } from "@heddle/api/server.ts";
import type { MeshSnapshot } from "@heddle/engine/snapshot/snapshot.ts";
import type { Store } from "@heddle/model/store.ts";
import { openMemoryStore } from "@heddle/store/memory.ts";
import { serveXds, type XdsServer } from "@heddle/xds/server.ts";
import { listenFailure, type Listening, type TlsListenOptions } from "@heddle/api/http/listen.ts";
import { apiPorts, apiSettings, type ServedCore } from "./api-ports.ts";
import { openAuditLog } from "./audit/audit-log.ts";
import { registerCertificateMetrics } from "./certificates/metrics.ts";
import type { Config } from "./config/settings.ts";
import { type Core, startCore } from "./core.ts";
import { createMetrics } from "./diagnostics/metrics.ts";
import { serveDiagnostics } from "./diagnostics/server.ts";
import { type OpenStore, openStoreFile } from "./encryption/open-store.ts";
import { dataplaneHandler } from "./dp-server/handler.ts";
import { HealthDiscovery } from "./dp-server/health-discovery.ts";
import { KINDS } from "./kinds.ts";
import type { Log } from "./log.ts";
import type { Meshes } from "./mesh/meshes.ts";
import { type Assignments, assignmentsFor } from "./monitoring/assignments.ts";
import { serveMonitoring } from "./monitoring/server.ts";
import { registerRateLimitMetrics } from "./rate-limit/metrics.ts";
import { registerServerCertificateMetrics } from "./tls/metrics.ts";
import { serverCertificatesReport } from "./tls/report.ts";
import { openServerTls, type PortTls, type ServerTls } from "./tls/server-tls.ts";
import { VERSION } from "./version.ts";

/** A control plane that runs, and where it listens. */
export interface ControlPlane extends AsyncDisposable {
  readonly apiUrl: string;
  readonly apiHttpsUrl: string | undefined;
  readonly dpPort: number;
  readonly diagnosticsPort: number;
  /** Absent when nothing is counted here. */
  readonly rateLimitPort: number | undefined;
  /** Where Prometheus is told which proxies to ask; absent when that is turned off. */
  readonly madsPort: number | undefined;
  /** PEM of what proxies and clients have to trust. */
  readonly caPem: string;
  readonly store: Store;
  readonly meshes: Meshes;
  /** Settles when it cannot go on by itself, with the reason; its owner then disposes of it. */
  readonly failure: Promise<Error>;
}

/**
 * Starts every part, in an order in which none is asked before it can answer. Stops them again if one fails. Waits for a
 * Vault that holds the key of the store until the signal aborts.
 */
export async function startControlPlane(config: Config, log: Log, signal = NEVER): Promise<ControlPlane> {
  await using stack = new AsyncDisposableStack();
  const { store, encryption } = await openStore(config, log, signal);
  stack.use(store);
  const core = { ...(await startCore(config, store, log, stack)), encryption };
  const tls = stack.use(await openServerTls(config, { secrets: core.secrets, log, now: () => new Date() }));
  const ports = await openPorts(core, tls, stack);
  const dataplanes = tls.of("dataplanes");
  await writeTrustAnchor(config, dataplanes.trustPem());
  dataplanes.onChange(() => {
    writeTrustAnchor(config, dataplanes.trustPem()).catch((cause: unknown) =>
      core.onFailure("Cannot write ca.pem", cause),
    );
  });
  const running = stack.move();
  return {
    ...ports,
    caPem: dataplanes.trustPem(),
    store,
    meshes: core.meshes,
    failure: core.failure,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Writes what proxies and clients have to trust beside the store, for --ca-cert-file. */
async function writeTrustAnchor({ storeType, dataFolder }: Config, pem: string): Promise<void> {
  if (storeType !== "memory") await writeFile(join(dataFolder, "ca.pem"), pem, { mode: 0o644 });
}

const NEVER = new AbortController().signal;

async function openStore(
  config: Config,
  log: Log,
  signal: AbortSignal,
): Promise<Partial<OpenStore> & { store: Store }> {
  return config.storeType === "memory" ? { store: openMemoryStore() } : await openStoreFile(config, log, signal);
}

type Addresses = Pick<
  ControlPlane,
  "apiUrl" | "apiHttpsUrl" | "dpPort" | "diagnosticsPort" | "rateLimitPort" | "madsPort"
>;

/** The servers come last: from the first request on, everything behind them is there. */
async function openPorts(core: ServedCore, tls: ServerTls, stack: AsyncDisposableStack): Promise<Addresses> {
  const { config, meshes, sessions, instanceId } = core;
  const metrics = createMetrics({ meshes, sessions, version: VERSION, instanceId });
  core.issuance.register(metrics.registry);
  registerCertificateMetrics(metrics.registry, core);
  registerServerCertificateMetrics(metrics.registry, tls);
  if (core.rateLimits !== undefined) registerRateLimitMetrics(metrics.registry, core.rateLimits);
  const audit = await openAuditLog({ config, instance: instanceId, onProblem: core.onFailure }, stack);
  const served = {
    observe: metrics.observeRequest,
    audit,
    serverCertificates: () => serverCertificatesReport(tls.states(), new Date()),
  };
  const api = stack.use(await createApi(await apiPorts(core, served), apiSettings(config)));
  // Before the proxies come: they are told of it when they connect.
  const rateLimits = await core.rateLimits?.open(config, meshes, (error) =>
    core.onFailure("A call of the rate limit service failed", error),
  );
  if (rateLimits !== undefined) stack.use(rateLimits);
  const dataplanes = stack.use(await serveDataplanes(core, tls.of("dataplanes")));
  // Runs before the streams are ended: what they say then is not about the proxies.
  stack.defer(() => sessions.stop());
  const http = await api.listen({
    host: config.apiHttpAddress,
    port: config.apiHttpPort,
    setting: "--api-http-port / HEDDLE_API_SERVER_HTTP_PORT",
  });
  const https = config.apiHttpsEnabled ? await openHttps(api, config, tls.of("api")) : undefined;
  const monitoring = config.madsEnabled ? stack.use(await openMonitoring(core, tls)) : undefined;
  const { diagnosticsAddress: host, diagnosticsPort: port } = config;
  const secure = config.diagnosticsTlsEnabled ? tls.of("diagnostics") : undefined;
  const diagnostics = stack.use(await serveDiagnostics({ host, port, registry: metrics.registry, tls: secure }));
  return {
    apiUrl: http.url,
    apiHttpsUrl: https?.url,
    dpPort: dataplanes.port,
    diagnosticsPort: diagnostics.port,
    rateLimitPort: rateLimits?.port,
    madsPort: monitoring?.port,
  };
}

async function openHttps(api: Api, config: Config, tls: PortTls): Promise<Listening> {
  const options = (): TlsListenOptions => ({ ...tls.options(), requireClientCert: config.apiHttpsRequireClientCert });
  const https = await api.listen({
    host: config.apiHttpsAddress,
    port: config.apiHttpsPort,
    setting: "--api-https-port / HEDDLE_API_SERVER_HTTPS_PORT",
    tls: options(),
  });
  tls.onChange(() => https.setTls(options()));
  return https;
}

function openMonitoring({ config, meshes, memo, progress }: Core, tls: ServerTls): ReturnType<typeof serveMonitoring> {
  const { madsAddress: host, madsPort: port, madsFetchTimeout: fetchTimeout } = config;
  const snapshots = (): MeshSnapshot[] => [...meshes.all()].map(({ snapshot }) => snapshot);
  const assignments = (clientId: string): Assignments => assignmentsFor(clientId, snapshots(), memo);
  const secure = config.madsTlsEnabled ? tls.of("monitoring") : undefined;
  return serveMonitoring({ host, port, fetchTimeout, progress, assignmentsFor: assignments, tls: secure });
}

async function serveDataplanes(core: Core, tls: PortTls): Promise<XdsServer> {
  const { config, sessions, presence, onFailure } = core;
  const { dpAddress: host, dpPort: port, healthDiscovery } = config;
  const intervalMillis = config.healthInterval;
  try {
    const server = await serveXds({
      host,
      port,
      tls: tls.options(),
      hooks: { connect: (request) => sessions.connect(request) },
      ...(healthDiscovery ? { health: new HealthDiscovery({ sessions, presence, intervalMillis }) } : {}),
      onError: (error) => onFailure("A stream of a proxy failed", error),
      handleHttp: dataplaneHandler({ ...core, kinds: KINDS, caPem: tls.trustPem, healthDiscovery }),
    });
    tls.onChange(() => server.setTls(tls.options()));
    return server;
  } catch (error) {
    throw await listenFailure((error as Error).cause ?? error, {
      host,
      port,
      setting: "--dp-port / HEDDLE_DP_SERVER_PORT",
    });
  }
}
