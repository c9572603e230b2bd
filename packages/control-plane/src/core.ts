import { randomBytes } from "node:crypto";
import type { Place } from "@heddle/api/resources/owned-labels.ts";
import { Memo } from "@heddle/engine/memo.ts";
import { type DataplaneInsightSpec, isOnline } from "@heddle/model/kinds/dataplane-insight.ts";
import type { Store } from "@heddle/model/store.ts";
import { policies } from "@heddle/policies/index.ts";
import { CaRotations } from "./ca-rotation/ca-rotations.ts";
import type { RotationOptions } from "./ca-rotation/options.ts";
import type { Config } from "./config/settings.ts";
import { meshCertificates } from "./certificates/certificate-facts.ts";
import { ExpiryWatch } from "./certificates/expiry-watch.ts";
import { type IssuanceMetrics, issuanceMetrics } from "./certificates/metrics.ts";
import { createDefaultRoles } from "./default-roles.ts";
import { createDefaults } from "./defaults.ts";
import { type AdminKeys, adminKeysFrom, adminRoot } from "./envoy-admin/admin-keys.ts";
import { followStore } from "./follow-store.ts";
import { Authorities } from "./identity/authorities.ts";
import { CertificateClock } from "./identity/certificate-clock.ts";
import { Certificates, rememberedCertificate } from "./identity/certificates.ts";
import { TokenService } from "./identity/token-service.ts";
import { readValidators } from "./identity/validators.ts";
import { KINDS } from "./kinds.ts";
import type { Log } from "./log.ts";
import { heldMessage, keepHold } from "./mesh/keep-hold.ts";
import { Meshes } from "./mesh/meshes.ts";
import type { HeldPolicy } from "./mesh/staging.ts";
import { Progress } from "./mesh/progress.ts";
import { MeshServiceGenerator } from "./mesh-services/generator.ts";
import { Insights } from "./proxies/insights.ts";
import { nodeFacts } from "./proxies/node-facts.ts";
import { PendingFacts } from "./proxies/pending-facts.ts";
import { Presence, type PresenceOptions } from "./proxies/presence.ts";
import { removeGoneDataplane } from "./proxies/register.ts";
import { Sessions } from "./proxies/sessions.ts";
import { ServiceStatus } from "./service-status/service-status.ts";
import { rateLimitKeysFrom } from "./rate-limit/keys.ts";
import { openCounters } from "./rate-limit/open-counters.ts";
import { RateLimits } from "./rate-limit/rate-limits.ts";
import { Secrets } from "./secrets.ts";
import { recordOwnZone } from "./zone-insight.ts";

const HOUR = 3_600_000;

/** The control plane without its ports: the meshes, kept in step with the store, and the sessions of proxies. */
export interface Core {
  readonly config: Config;
  readonly place: Place;
  readonly instanceId: string;
  readonly store: Store;
  readonly secrets: Secrets;
  readonly tokens: TokenService;
  readonly authorities: Authorities;
  readonly issuance: IssuanceMetrics;
  readonly caRotations: CaRotations;
  readonly adminKeys: AdminKeys;
  /** Absent when it is turned off. */
  readonly rateLimits: RateLimits | undefined;
  readonly memo: Memo;
  readonly progress: Progress;
  readonly meshes: Meshes;
  readonly presence: Presence;
  readonly sessions: Sessions;
  readonly now: () => Date;
  readonly onFailure: (message: string, cause: unknown) => void;
  /** Settles when the store cannot be followed any more. */
  readonly failure: Promise<Error>;
}

/** Builds the parts in the order in which they need each other, and reads what the store holds. */
export async function startCore(config: Config, store: Store, log: Log, stack: AsyncDisposableStack): Promise<Core> {
  const foundation = await layFoundation(config, store, log);
  const { progress, tokens, onFailure } = foundation;
  await recordOwnZone(store, config.zone, { instanceId: foundation.instanceId, now: foundation.now() });
  const earlier = await readInsights(store);
  const people = buildSessions(foundation, earlier, log, stack);
  for (const { mesh, name, insight } of earlier) {
    if (!isOnline(insight)) continue;
    // What its node says is known too: a proxy that returns as it was changes nothing.
    const node = nodeFacts((insight.metadata ?? {}) as Readonly<Record<string, unknown>>, { mesh, name });
    people.presence.expect(mesh, name, { tlsReady: insight.mTLS !== undefined, node });
  }
  const after = await store.revision();
  await people.meshes.load(after);
  for (const { mesh, name, insight } of earlier) {
    const held = rememberedCertificate(insight);
    if (held !== undefined) people.meshes.get(mesh)?.remember(name, held);
  }
  const { meshes, sessions } = people;
  const { place, now } = foundation;
  const generator = new MeshServiceGenerator({ store, meshes, place, graceMillis: HOUR, now, onFailure });
  for (const { snapshot } of meshes.all()) generator.notice(snapshot.mesh.name);
  stack.defer(() => generator.stop());
  // DNS has no events, so this is the one thing that is looked at again and again; most meshes have no names at all.
  const addresses = setInterval(() => {
    meshes.refreshAddresses().catch((cause: unknown) => onFailure("Cannot resolve the addresses of Dataplanes", cause));
  }, config.dnsRefreshInterval).unref();
  stack.defer(() => clearInterval(addresses));
  const clock = new CertificateClock(meshes);
  progress.onNotify(() => clock.notice());
  stack.defer(() => clock.stop());
  watchExpiry({ ...foundation, meshes }, log, stack);
  const caRotations = await loadRotations({ ...foundation, meshes }, log, stack);
  const serviceStatus = new ServiceStatus({ store, zone: config.zone, onFailure });
  stack.defer(() => serviceStatus.stop());
  serviceStatus.notice("HostnameGenerator");
  const failure = followStore({ store, after, meshes, generator, serviceStatus, sessions, tokens, stack });
  return { ...foundation, ...people, caRotations, failure };
}

async function loadRotations(
  parts: Omit<RotationOptions, "settleMillis" | "log">,
  log: Log,
  stack: AsyncDisposableStack,
): Promise<CaRotations> {
  const rotations = new CaRotations({
    ...parts,
    settleMillis: SETTLE_MILLIS,
    log: (message, fields) => log.info(message, fields),
  });
  stack.defer(() => rotations.stop());
  await rotations.load();
  return rotations;
}

// Longer than a handshake takes, on a busy machine too.
const SETTLE_MILLIS = 5_000;

function watchExpiry(
  core: Pick<Core, "config" | "meshes" | "authorities" | "progress" | "now">,
  log: Log,
  stack: AsyncDisposableStack,
): void {
  const { meshes, authorities, progress, now } = core;
  const watch = new ExpiryWatch({
    meshes: () => [...meshes.all()].map((runtime) => meshCertificates(runtime, authorities)),
    availabilityTarget: core.config.availabilityTarget,
    now,
    warn: (message, fields) => log.warn(message, fields),
    relieve: (message, fields) => log.info(message, fields),
  });
  progress.onNotify(() => watch.notice());
  stack.defer(() => watch.stop());
}

type Foundation = Omit<Core, "caRotations" | "meshes" | "presence" | "sessions" | "failure">;

async function layFoundation(config: Config, store: Store, log: Log): Promise<Foundation> {
  const now = (): Date => new Date();
  const place: Place = { mode: config.mode, zone: config.zone, environment: "universal" };
  const isNew = (await store.revision()) === 0;
  const secrets = new Secrets(store);
  const tokens = new TokenService(secrets, now, await readValidators(config));
  const root = await adminRoot(secrets, now());
  await tokens.ensureKey({ kind: "user", mesh: "" });
  await createDefaults(store, place, {
    skipMesh: config.skipMeshCreation,
    skipHostnameGenerators: config.skipHostnameGenerators,
    isNew,
  });
  await createDefaultRoles(store, place, config);
  return {
    config,
    place,
    now,
    store,
    secrets,
    tokens,
    instanceId: `${config.instanceName}-${randomBytes(2).toString("hex")}`,
    authorities: new Authorities(secrets, config.zone, now),
    issuance: issuanceMetrics(),
    adminKeys: adminKeysFrom(root),
    rateLimits: config.rateLimitEnabled
      ? new RateLimits(rateLimitKeysFrom(root), await openCounters(config, log))
      : undefined,
    memo: new Memo(),
    progress: new Progress(),
    onFailure: (message, cause) => log.error(message, { cause: String(cause) }),
  };
}

// Meshes, presence and sessions tell each other of changes, so they are built together.
// oxlint-disable-next-line max-lines-per-function -- a list of who gets what; in pieces it would be harder to follow
function buildSessions(
  foundation: Foundation,
  earlier: readonly Earlier[],
  log: Log,
  stack: AsyncDisposableStack,
): Pick<Core, "meshes" | "presence" | "sessions"> {
  const { config, store, tokens, authorities, issuance, memo, progress, now, onFailure } = foundation;
  const onProgress = (): void => progress.notify();
  const hold = (held: HeldPolicy): void => {
    const { type, mesh, name } = held.policy;
    log.warn(`${type} "${name}" of mesh "${mesh}" is held: ${heldMessage(held)}`, {});
    keepHold(store, held, now()).catch((cause: unknown) => {
      onFailure(`Cannot store that ${type} "${name}" of mesh "${mesh}" is held; a restart would try it again`, cause);
    });
  };
  const meshes: Meshes = new Meshes({
    store,
    kinds: KINDS,
    tokens,
    factsOf: (mesh, dataplane) => presence.factsOf(mesh, dataplane),
    hasIssued: (mesh, issuer) =>
      earlier.some(
        ({ mesh: other, insight: { mTLS } }) =>
          other === mesh && mTLS !== undefined && (issuer === undefined || mTLS.issuedBackend === issuer),
      ),
    onRemoved: (mesh) => sessions.endMesh(mesh),
    shared: {
      zone: config.zone,
      policies,
      memo,
      sliceMillis: config.compilationMillis,
      authorities,
      certificates: new Certificates(authorities, now, {
        availabilityTarget: config.availabilityTarget,
        onIssuance: issuance.observe,
      }),
      onProgress,
      onHeld: (held) => {
        for (const each of held) hold(each);
      },
      onFailure,
      onCaState: (mesh, backend, state) => {
        const name = `certificate authority "${backend}" of mesh "${mesh}"`;
        if (state.state === "down")
          log.warn(`${name} cannot sign; traffic goes on with what proxies have`, { ...state });
        else log.info(`${name} signs again`, {});
      },
    },
  });
  stack.defer(() => authorities.stop());
  const presence: Presence = new Presence(presenceOptions(foundation, meshes));
  stack.defer(() => presence.stop());
  const insights = new Insights(store, config.statusFlushInterval, onFailure);
  stack.defer(() => insights.flush());
  const sessions: Sessions = new Sessions({
    ...foundation,
    kinds: KINDS,
    meshes,
    presence,
    insights,
    authentication: config.dpAuthentication,
    onProgress,
    log: (message, fields) => log.info(message, fields),
  });
  return { meshes, presence, sessions };
}

function presenceOptions({ config, store, onFailure }: Foundation, meshes: Meshes): PresenceOptions {
  const pending = new PendingFacts((mesh, changes) => meshes.get(mesh)?.apply(changes));
  return {
    graceMillis: config.deregistrationDelay,
    apply: (mesh, dataplane, facts) => pending.add(mesh, dataplane, facts),
    specOf: (mesh, dataplane) => meshes.get(mesh)?.snapshot.dataplanes.get(dataplane)?.resource.spec,
    onGone: (mesh, name, left) => {
      if (!left) return;
      removeGoneDataplane(store, { mesh, name }).catch((cause: unknown) => {
        onFailure(`Cannot remove Dataplane "${name}" of mesh "${mesh}"`, cause);
      });
    },
  };
}

interface Earlier {
  readonly mesh: string;
  readonly name: string;
  readonly insight: DataplaneInsightSpec;
}

async function readInsights(store: Store): Promise<readonly Earlier[]> {
  const { items } = await store.list({ type: "DataplaneInsight" });
  // Written by the control plane alone, so the spec is what its kind says.
  return items.map(({ mesh, name, spec }) => ({ mesh, name, insight: spec as DataplaneInsightSpec }));
}
