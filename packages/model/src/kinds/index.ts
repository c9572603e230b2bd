import type { Kind } from "../kind.ts";
import { LEGACY_KINDS } from "../legacy/index.ts";
import { accessAudit, accessRole, accessRoleBinding } from "./access.ts";
import { dataplaneInsight } from "./dataplane-insight.ts";
import { dataplane } from "./dataplane.ts";
import { hostnameGenerator } from "./hostname-generator.ts";
import { meshExternalService } from "./mesh-external-service.ts";
import { meshIdentity, meshTrust } from "./mesh-identity.ts";
import { meshMultiZoneService } from "./mesh-multi-zone-service.ts";
import { meshOpenTelemetryBackend } from "./mesh-open-telemetry-backend.ts";
import { meshService } from "./mesh-service.ts";
import { mesh } from "./mesh.ts";
import { globalSecret, secret, zone, zoneInsight } from "./system.ts";

/** The kinds that are not policies of today. Those bring their own, one folder each. */
export const CORE_KINDS: readonly Kind[] = [
  mesh,
  dataplane,
  dataplaneInsight,
  zone,
  zoneInsight,
  secret,
  globalSecret,
  meshService,
  meshExternalService,
  hostnameGenerator,
  meshMultiZoneService,
  meshIdentity,
  meshTrust,
  meshOpenTelemetryBackend,
  accessRole,
  accessRoleBinding,
  accessAudit,
  ...LEGACY_KINDS,
] as readonly Kind[];
