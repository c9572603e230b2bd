import { hostname } from "node:os";
import type { AuditLog } from "@heddle/api/audit/record.ts";
import type { Ports } from "@heddle/api/ports.ts";
import { type ApiSettings, DEFAULT_SETTINGS } from "@heddle/api/settings.ts";
import { policies } from "@heddle/policies/index.ts";
import { describeConfig } from "./config/load-config.ts";
import type { Config } from "./config/settings.ts";
import type { Core } from "./core.ts";
import { clusterId } from "./defaults.ts";
import { certificateGuard } from "./certificates/certificate-guard.ts";
import { encryptionPort } from "./encryption/encryption-port.ts";
import type { StoreEncryption } from "./encryption/open-store.ts";
import { caGuard } from "./identity/ca-guard.ts";
import { readOidcTrust, withOidc } from "./identity/oidc-login.ts";
import { effectGuard } from "./inspect/effect-guard.ts";
import { createInspect } from "./inspect/inspect.ts";
import type { InspectOptions } from "./inspect/options.ts";
import { KINDS } from "./kinds.ts";
import { staticAccess } from "./static-access.ts";
import { BASED_ON_KUMA, SUPPORTED_ENVOY, VERSION } from "./version.ts";

/** The core, and what protects its store; a store in memory needs nothing. */
export type ServedCore = Core & { readonly encryption: StoreEncryption | undefined };

/** What is opened around the core. */
interface Served extends Required<Pick<Ports, "observe" | "serverCertificates">> {
  readonly audit: AuditLog | undefined;
}

/** The control plane, as the REST API sees it. */
export async function apiPorts(core: ServedCore, { observe, audit, serverCertificates }: Served): Promise<Ports> {
  const { config, store, tokens, authorities, caRotations, encryption, onFailure } = core;
  const inspected = inspectOptions(core);
  const oidc = readOidcTrust(config);
  const verifyOwn: NonNullable<Ports["verifyUserToken"]> = async (token) => {
    const verified = await tokens.verify("user", "", token);
    return verified.ok ? verified.claims : { reason: verified.reason };
  };
  return {
    store,
    kinds: KINDS,
    tokens,
    inspect: createInspect(inspected),
    info: await info(core),
    caStates: (mesh) => authorities.states(mesh),
    caRotations,
    writeGuards: [caGuard(authorities), certificateGuard(inspected), effectGuard(inspected)],
    verifyUserToken: withOidc(verifyOwn, oidc, core.now),
    ...(oidc === undefined ? {} : { login: { oidc } }),
    config: () => describeConfig(config),
    serverCertificates,
    versions: () => ({
      heddle: { version: VERSION },
      envoy: { supported: SUPPORTED_ENVOY },
      kumaDp: { [VERSION]: { envoy: "1.40.0" } },
    }),
    ...(encryption === undefined ? {} : { encryption: encryptionPort(encryption) }),
    ...(audit === undefined ? {} : { audit }),
    observe,
    reportFailure: onFailure,
  };
}

async function info({ config, instanceId, secrets }: Core): Promise<Ports["info"]> {
  return {
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
  };
}

/** The settings of the REST API in the control plane's configuration. */
export function apiSettings(config: Config): ApiSettings {
  return {
    ...DEFAULT_SETTINGS,
    basePath: config.apiBasePath,
    readOnly: config.apiReadOnly,
    localhostIsAdmin: config.localhostIsAdmin,
    anonymousWrites: config.anonymousWrites,
    unsafeDelete: config.unsafeDelete,
    accessType: config.accessType,
    access: staticAccess(config),
  };
}

function inspectOptions({ config, store, meshes, memo, progress, authorities, adminKeys, now }: Core): InspectOptions {
  return {
    meshes,
    kinds: KINDS,
    policies,
    memo,
    progress,
    store,
    zone: config.zone,
    sliceMillis: config.compilationMillis,
    adminKeys,
    authorities,
    availabilityTarget: config.availabilityTarget,
    now,
    trustDomain: (identity) => authorities.trustDomain(identity),
  };
}
