import { z } from "zod";
import { defineKind } from "../kind.ts";
import { duration, stringMap } from "../schema.ts";
import type { Violation } from "../violation.ts";
import { checkBackends, loggingSchema, tracingSchema } from "./mesh-backends.ts";
import { caConfSchema, caTypeSchema, checkCaConf } from "./mesh-ca.ts";

const backend = z.strictObject({
  name: z.string().min(1).max(255).describe("Name of the backend, unique in the mesh"),
  type: caTypeSchema.describe("Which certificate authority signs"),
  mode: z
    .enum(["STRICT", "PERMISSIVE"])
    .optional()
    .describe("STRICT (default): only mutual TLS comes in. PERMISSIVE: plain text too"),
  dpCert: z
    .strictObject({
      rotation: z
        .strictObject({
          expiration: duration().optional().describe("Life of a proxy's certificate (24h)"),
        })
        .optional(),
      requestTimeout: duration().optional().describe("How long Vault may take to issue one (10s)"),
    })
    .optional()
    .describe("The certificates of proxies"),
  rootChain: z
    .strictObject({ requestTimeout: duration().optional().describe("How long Vault may take to tell its CA (10s)") })
    .optional(),
  conf: caConfSchema.optional().describe("Settings of the certificate authority"),
});

const tagSet = z.strictObject({ tags: stringMap() });

export const meshSchema = z.strictObject({
  mtls: z
    .strictObject({
      enabledBackend: z.string().optional().describe("The backend that signs; empty turns mutual TLS off"),
      skipValidation: z.boolean().optional(),
      backends: z.array(backend).optional(),
    })
    .optional()
    .describe("Mutual TLS between all proxies of the mesh"),
  logging: loggingSchema.optional().describe("Kuma 2.x: where TrafficLogs write to"),
  tracing: tracingSchema.optional().describe("Kuma 2.x: where TrafficTraces send spans to"),
  networking: z
    .strictObject({ outbound: z.strictObject({ passthrough: z.boolean().optional() }).optional() })
    .optional(),
  routing: z
    .strictObject({
      localityAwareLoadBalancing: z.boolean().optional(),
      zoneEgress: z.boolean().optional(),
      defaultForbidMeshExternalServiceAccess: z.boolean().optional(),
    })
    .optional(),
  constraints: z
    .strictObject({
      dataplaneProxy: z
        .strictObject({
          requirements: z.array(tagSet).optional(),
          restrictions: z.array(tagSet).optional(),
        })
        .optional(),
    })
    .optional(),
  meshServices: z
    .strictObject({
      mode: z.enum(["Disabled", "Everywhere", "ReachableBackends", "Exclusive"]).optional(),
    })
    .optional(),
  skipCreatingInitialPolicies: z.array(z.string()).optional().describe("Default policies not to make; * for all"),
});
export type MeshSpec = z.infer<typeof meshSchema>;
export type MtlsBackend = z.infer<typeof backend>;

/** A mesh: a set of proxies with one trust, one namespace of names and one set of policies. */
export const mesh = defineKind<MeshSpec>({
  type: "Mesh",
  path: "meshes",
  shortName: "m",
  scope: "Global",
  shape: "core",
  singular: "Mesh",
  plural: "Meshes",
  nameIsLabel: true,
  schema: meshSchema,
  check: checkMesh,
});

/** The backend that signs certificates now, if mutual TLS is on. */
export function enabledBackend(spec: MeshSpec): MtlsBackend | undefined {
  const name = spec.mtls?.enabledBackend;
  return name ? spec.mtls?.backends?.find((candidate) => candidate.name === name) : undefined;
}

function checkMesh(spec: MeshSpec): Violation[] {
  const backends = spec.mtls?.backends ?? [];
  const violations = backends.flatMap((candidate, index) =>
    backends.findIndex((other) => other.name === candidate.name) === index
      ? []
      : [
          {
            field: `mtls.backends[${index}].name`,
            message: `must be unique: "${candidate.name}" is there already`,
          },
        ],
  );
  violations.push(
    ...backends.flatMap(({ type, conf }, index) => checkCaConf(type, conf ?? {}, `mtls.backends[${index}].conf`)),
  );
  const enabled = spec.mtls?.enabledBackend;
  if (enabled && !backends.some((candidate) => candidate.name === enabled)) {
    const names = backends.map((candidate) => candidate.name).join(", ") || "none is defined";
    violations.push({
      field: "mtls.enabledBackend",
      message: `must name one of mtls.backends (${names}), not "${enabled}"`,
    });
  }
  return [...violations, ...checkBackends(spec.logging, "logging"), ...checkBackends(spec.tracing, "tracing")];
}
