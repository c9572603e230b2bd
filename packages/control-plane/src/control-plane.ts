import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Place } from "@heddle/api/resources/owned-labels.ts";
import { createApi } from "@heddle/api/server.ts";
import { DEFAULT_SETTINGS } from "@heddle/api/settings.ts";
import { Memo } from "@heddle/engine/memo.ts";
import type { CertificateAndKey } from "@heddle/identity/certificate.ts";
import { type DataplaneInsightSpec, isOnline } from "@heddle/model/kinds/dataplane-insight.ts";
import { CORE_KINDS } from "@heddle/model/kinds/index.ts";
import { kindRegistry } from "@heddle/model/kind.ts";
import type { Store } from "@heddle/model/store.ts";
import { policies } from "@heddle/policies/index.ts";
import { openMemoryStore } from "@heddle/store/memory.ts";
import { openSqliteStore } from "@heddle/store/sqlite.ts";
import { serveXds } from "@heddle/xds/server.ts";
import { describeConfig } from "./config/load-config.ts";
import type { Config } from "./config/settings.ts";
import { clusterId, createDefaults, serverCertificate } from "./defaults.ts";
import { createMetrics } from "./diagnostics/metrics.ts";
import { serveDiagnostics } from "./diagnostics/server.ts";
import { dataplaneHandler } from "./dp-server/handler.ts";
import { HealthDiscovery } from "./dp-server/health-discovery.ts";
import { Authorities } from "./identity/authorities.ts";
import { Certificates } from "./identity/certificates.ts";
import { CertificateClock } from "./identity/certificate-clock.ts";
import { TokenService } from "./identity/token-service.ts";
import { createInspect } from "./inspect/inspect.ts";
import type { Log } from "./log.ts";
import { Meshes } from "./mesh/meshes.ts";
import { Progress } from "./mesh/progress.ts";
import { MeshServiceGenerator } from "./mesh-services/generator.ts";
import { Insights } from "./proxies/insights.ts";
import { Presence } from "./proxies/presence.ts";
import { REGISTERED_BY } from "./proxies/register.ts";
import { Sessions } from "./proxies/sessions.ts";
import { Secrets } from "./secrets.ts";
import { BASED_ON_KUMA, SUPPORTED_ENVOY, VERSION } from "./version.ts";

const HOUR = 3_600_000;

/** A control plane that runs, and where it listens. */
export interface ControlPlane extends AsyncDisposable {
  readonly apiUrl: string;
  readonly apiHttpsUrl: string | undefined;
  readonly dpPort: number;
  readonly diagnosticsPort: number;
  /** PEM of what proxies and clients have to trust. */
  readonly caPem: string;
  readonly store: Store;
  readonly meshes: Meshes;
  /** Settles when it cannot go on by itself, with the reason; its owner then disposes of it. */
  readonly failure: Promise<Error>;
}

/** Starts every part, in an order in which none is asked before it can answer. Stops them again if one fails. */
export async function startControlPlane(config: Config, log: Log): Promise<ControlPlane> {
  await using stack = new AsyncDisposableStack();
  const now = (): Date => new Date();
  const kinds = kindRegistry([...CORE_KINDS, ...policies.map(({ kind }) => kind)]);
  const place: Place = { mode: config.mode, zone: config.zone, environment: "universal" };
  const instanceId = `${config.instanceName}-${randomBytes(2).toString("hex")}`;
  const store = stack.use(await openStore(config));
  const isNew = (await store.revision()) === 0;
  const secrets = new Secrets(store);
  const tokens = new TokenService(secrets, now);
  await tokens.ensureKey({ kind: "user", mesh: "" });
  await createDefaults(store, place, { skipMesh: config.skipMeshCreation, isNew });
  const tls = await serverTls(config, secrets, now());
  const progress = new Progress();
  const onFailure = (message: string, cause: unknown): void => log.error(message, { cause: String(cause) });

  const earlier = await readInsights(store);
  const authorities = new Authorities(secrets, config.zone, now);
  const memo = new Memo();
  const clock: { notice: () => void } = { notice: () => undefined };
  const meshes: Meshes = new Meshes({
    store,
    kinds,
    tokens,
    factsOf: (mesh, dataplane) => presence.factsOf(mesh, dataplane),
    hasIssued: (mesh) => earlier.some(({ key, insight }) => key.mesh === mesh && insight.mTLS !== undefined),
    onRemoved: (mesh) => sessions.endMesh(mesh),
    shared: {
      zone: config.zone,
      policies,
      memo,
      sliceMillis: config.compilationMillis,
      authorities,
      certificates: new Certificates(authorities, now),
      onProgress: () => {
        clock.notice();
        progress.notify();
      },
      onFailure,
    },
  });
  const presence: Presence = new Presence({
    graceMillis: config.deregistrationDelay,
    apply: (mesh, dataplane, facts) => meshes.get(mesh)?.apply([{ what: "facts", dataplane, facts }]),
    specOf: (mesh, dataplane) => meshes.get(mesh)?.snapshot.dataplanes.get(dataplane)?.resource.spec,
    onGone: (mesh, name, left) =>
      void removeDataplane(store, { mesh, name }, left).catch((cause: unknown) =>
        onFailure(`Cannot remove Dataplane "${name}"`, cause),
      ),
  });
  stack.defer(() => presence.stop());
  const insights = new Insights(store, config.statusFlushInterval, onFailure);
  stack.defer(() => insights.flush());
  const sessions: Sessions = new Sessions({
    store,
    kinds,
    place,
    meshes,
    tokens,
    presence,
    insights,
    authentication: config.dpAuthentication,
    instanceId,
    now,
    onProgress: () => progress.notify(),
    log: (message, fields) => log.info(message, fields),
  });
  for (const { key, insight } of earlier)
    if (isOnline(insight)) presence.expect(key.mesh, key.name, insight.mTLS !== undefined);

  const revision = await store.revision();
  await meshes.load(revision);
  const generator = new MeshServiceGenerator({ store, meshes, place, graceMillis: HOUR, now, onFailure });
  for (const { snapshot } of meshes.all()) generator.notice(snapshot.mesh.name);
  stack.defer(() => generator.stop());
  const certificateClock = new CertificateClock(meshes);
  clock.notice = () => certificateClock.notice();
  stack.defer(() => certificateClock.stop());
  const failure = Promise.withResolvers<Error>();
  followStore({ store, after: revision, meshes, generator, sessions, tokens, stack, fail: failure.resolve });

  const health = config.healthDiscovery
    ? new HealthDiscovery({ sessions, presence, intervalMillis: config.healthInterval })
    : undefined;
  const metrics = createMetrics({ meshes, sessions, version: VERSION, instanceId });
  const api = stack.use(
    await createApi(
      {
        store,
        kinds,
        tokens,
        inspect: createInspect({
          meshes,
          kinds,
          policies,
          memo,
          progress,
          store,
          zone: config.zone,
          sliceMillis: config.compilationMillis,
          trustDomain: (identity) => authorities.trustDomain(identity),
        }),
        info: {
          hostname: hostname(),
          product: "Heddle",
          version: VERSION,
          instanceId,
          clusterId: await clusterId(secrets),
          basedOnKuma: BASED_ON_KUMA,
          mode: config.mode,
          federated: false,
          zone: config.zone,
          environment: "universal",
          storeType: config.storeType,
        },
        verifyUserToken: async (token) => {
          const verified = await tokens.verify("user", "", token);
          return verified.ok ? verified.claims : { reason: verified.reason };
        },
        config: () => describeConfig(config),
        versions: () => ({
          heddle: { version: VERSION },
          envoy: { supported: SUPPORTED_ENVOY },
          kumaDp: { [VERSION]: { envoy: "1.40.0" } },
        }),
        observe: metrics.observeRequest,
        reportFailure: onFailure,
      },
      apiSettings(config),
    ),
  );
  // The servers come last: from the first request on, everything behind them is there.
  const xds = stack.use(
    await serveXds({
      host: config.dpAddress,
      port: config.dpPort,
      tls: { cert: tls.certificatePem, key: tls.keyPem },
      hooks: { connect: (request) => sessions.connect(request) },
      ...(health === undefined ? {} : { health }),
      onError: (error) => onFailure("A stream of a proxy failed", error),
      handleHttp: dataplaneHandler({
        store,
        kinds,
        place,
        meshes,
        sessions,
        presence,
        progress,
        caPem: () => tls.certificatePem,
        healthDiscovery: config.healthDiscovery,
      }),
    }),
  );
  stack.defer(() => sessions.stop());
  const http = await api.listen({
    host: config.apiHttpAddress,
    port: config.apiHttpPort,
    setting: "--api-http-port / HEDDLE_API_SERVER_HTTP_PORT",
  });
  const https = config.apiHttpsEnabled
    ? await api.listen({
        host: config.apiHttpsAddress,
        port: config.apiHttpsPort,
        setting: "--api-https-port / HEDDLE_API_SERVER_HTTPS_PORT",
        tls: { cert: tls.certificatePem, key: tls.keyPem },
      })
    : undefined;
  const diagnostics = stack.use(
    await serveDiagnostics({
      host: config.diagnosticsAddress,
      port: config.diagnosticsPort,
      registry: metrics.registry,
      notReady: () => undefined,
    }),
  );
  await writeAuthority(config, tls.certificatePem);
  const stop = stack.move();
  return {
    apiUrl: http.url,
    apiHttpsUrl: https?.url,
    dpPort: xds.port,
    diagnosticsPort: diagnostics.port,
    caPem: tls.certificatePem,
    store,
    meshes,
    failure: failure.promise,
    [Symbol.asyncDispose]: () => stop.disposeAsync(),
  };
}

interface Followed {
  readonly store: Store;
  readonly after: number;
  readonly meshes: Meshes;
  readonly generator: MeshServiceGenerator;
  readonly sessions: Sessions;
  readonly tokens: TokenService;
  readonly stack: AsyncDisposableStack;
  readonly fail: (error: Error) => void;
}

/** Takes every change of the store over, one batch after the other, until the stack is disposed. */
function followStore({ store, after, meshes, generator, sessions, tokens, stack, fail }: Followed): void {
  const ending = new AbortController();
  const loop = async (): Promise<void> => {
    for await (const events of store.watch({ after, signal: ending.signal })) {
      await meshes.take(events);
      for (const { resource } of events) {
        if (resource.type === "Dataplane" || resource.type === "Mesh") generator.notice(resource.mesh || resource.name);
        if (resource.type === "Secret") sessions.endRevoked(resource.mesh, await tokens.revocations(resource.mesh));
      }
    }
  };
  const done = loop().catch((cause: unknown) => {
    // Without the store's changes proxies would silently grow old: better to stop and be started again.
    fail(new Error(`Cannot follow the store any more: ${String(cause)}; the proxies keep what they have`, { cause }));
  });
  stack.defer(async () => {
    ending.abort();
    await done;
  });
}

async function openStore({ storeType, dataFolder }: Config): Promise<Store> {
  if (storeType === "memory") return openMemoryStore();
  await mkdir(dataFolder, { recursive: true, mode: 0o700 });
  return await openSqliteStore({ file: join(dataFolder, "store.sqlite") });
}

async function serverTls(
  { tlsCertFile, tlsKeyFile, hosts }: Config,
  secrets: Secrets,
  now: Date,
): Promise<CertificateAndKey> {
  if (tlsCertFile === "" && tlsKeyFile === "") return await serverCertificate(secrets, hosts, now);
  return {
    certificatePem: await readPem(tlsCertFile, "--tls-cert-file"),
    keyPem: await readPem(tlsKeyFile, "--tls-key-file"),
  };
}

async function readPem(file: string, flag: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new Error(
      `Cannot read "${file}": ${(cause as Error).message}; correct ${flag}, or leave both flags out to have a certificate made`,
      { cause },
    );
  }
}

/** Writes what proxies have to trust beside the store, for --ca-cert-file. */
async function writeAuthority({ storeType, dataFolder }: Config, pem: string): Promise<void> {
  if (storeType === "memory") return;
  await writeFile(join(dataFolder, "ca.pem"), pem, { mode: 0o644 });
}

async function readInsights(
  store: Store,
): Promise<
  readonly { readonly key: { readonly mesh: string; readonly name: string }; readonly insight: DataplaneInsightSpec }[]
> {
  const { items } = await store.list({ type: "DataplaneInsight" });
  return items.map((resource) => ({ key: resource, insight: resource.spec as DataplaneInsightSpec }));
}

/** A Dataplane that came with its proxy goes when the proxy said goodbye; one that just vanished stays to be seen. */
async function removeDataplane(
  store: Store,
  key: { readonly mesh: string; readonly name: string },
  left: boolean,
): Promise<void> {
  const stored = await store.get({ ...key, type: "Dataplane" });
  if (!left || stored?.labels[REGISTERED_BY] === undefined) return;
  await store.delete({ ...key, type: "Dataplane" }, stored.version);
  const insight = await store.get({ ...key, type: "DataplaneInsight" });
  if (insight !== undefined) await store.delete({ ...key, type: "DataplaneInsight" });
}

function apiSettings(config: Config): typeof DEFAULT_SETTINGS {
  const { access } = DEFAULT_SETTINGS;
  return {
    ...DEFAULT_SETTINGS,
    basePath: config.apiBasePath,
    readOnly: config.apiReadOnly,
    localhostIsAdmin: config.localhostIsAdmin,
    anonymousWrites: config.anonymousWrites,
    unsafeDelete: config.unsafeDelete,
    access: {
      ...access,
      adminResources: { users: config.adminUsers, groups: config.adminGroups },
      viewConfigDump: { ...access.viewConfigDump, groups: config.configDumpGroups },
    },
  };
}
