import { z } from "zod";
import { defineKind } from "../kind.ts";
import { pemFacts } from "../pem.ts";
import { duration, stringMap } from "../schema.ts";
import { spiffeTemplateViolations } from "../spiffe-template.ts";
import type { Violation } from "../violation.ts";

const dataSource = z.strictObject({
  type: z.enum(["File", "Secret", "EnvVar", "InsecureInline"]),
  file: z.strictObject({ path: z.string().min(1) }).optional(),
  secretRef: z.strictObject({ kind: z.literal("Secret").optional(), name: z.string().min(1) }).optional(),
  envVar: z.strictObject({ name: z.string().min(1) }).optional(),
  insecureInline: z.strictObject({ value: z.string() }).optional(),
});

export const meshIdentitySchema = z.strictObject({
  selector: z
    .strictObject({ dataplane: z.strictObject({ matchLabels: stringMap().optional() }).optional() })
    .optional()
    .describe("Which proxies get this identity; {} under matchLabels for all, nothing for none"),
  spiffeID: z
    .strictObject({
      trustDomain: z.string().min(1).max(255).optional().describe("Template ({{ .Mesh }}.{{ .Zone }}.mesh.local)"),
      path: z.string().min(1).optional().describe("Template (/workload/{{ .Workload }})"),
    })
    .optional(),
  provider: z.strictObject({
    type: z
      .enum(["Bundled", "Spire"])
      .describe("Bundled: the control plane signs. Spire: a SPIRE agent beside the proxy gives certificates and trust"),
    bundled: z
      .strictObject({
        meshTrustCreation: z.enum(["Enabled", "Disabled"]).optional().describe("Make the MeshTrust as well (Enabled)"),
        insecureAllowSelfSigned: z.boolean().optional(),
        autogenerate: z
          .strictObject({ enabled: z.boolean().optional() })
          .optional()
          .describe("Make the authority's key here"),
        ca: z.strictObject({ certificate: dataSource.optional(), privateKey: dataSource.optional() }).optional(),
        certificateParameters: z
          .strictObject({
            expiry: duration().optional().describe("Life of a proxy's certificate (24h)"),
          })
          .optional(),
      })
      .optional(),
    spire: z
      .strictObject({
        agent: z
          .strictObject({ timeout: duration().optional().describe("How long connecting to the agent may take (1s)") })
          .optional(),
      })
      .optional()
      .describe("With type Spire"),
  }),
});
export type MeshIdentitySpec = z.infer<typeof meshIdentitySchema>;

/** Who proxies are: which SPIFFE IDs they get and who signs them. */
export const meshIdentity = defineKind<MeshIdentitySpec>({
  type: "MeshIdentity",
  path: "meshidentities",
  shortName: "mid",
  scope: "Mesh",
  shape: "plugin",
  singular: "Mesh Identity",
  plural: "Mesh Identities",
  hasStatus: true,
  schema: meshIdentitySchema,
  check: (spec) => [...spiffeTemplateViolations(spec.spiffeID ?? {}), ...checkMeshIdentity(spec)],
});

function checkMeshIdentity(spec: MeshIdentitySpec): Violation[] {
  const { bundled, spire, type } = spec.provider;
  if (type === "Spire")
    return bundled === undefined ? [] : [{ field: "provider.bundled", message: "must not be set with type Spire" }];
  if (spire !== undefined) return [{ field: "provider.spire", message: "must not be set with type Bundled" }];
  if (bundled === undefined) return [{ field: "provider.bundled", message: "must be set with type Bundled" }];
  const generated = bundled.autogenerate?.enabled === true;
  const given = bundled.ca?.certificate !== undefined || bundled.ca?.privateKey !== undefined;
  if (generated && given)
    return [{ field: "provider.bundled.ca", message: "must not be set with autogenerate.enabled: true" }];
  if (!generated && (bundled.ca?.certificate === undefined || bundled.ca.privateKey === undefined)) {
    return [
      {
        field: "provider.bundled.ca",
        message: "must have certificate and privateKey, unless autogenerate.enabled is true",
      },
    ];
  }
  if (generated && bundled.insecureAllowSelfSigned !== true) {
    return [
      {
        field: "provider.bundled.insecureAllowSelfSigned",
        message: "must be true with autogenerate: the authority signs itself",
      },
    ];
  }
  return [];
}

export const meshTrustSchema = z.strictObject({
  trustDomain: z.string().min(1).max(253).describe("SPIFFE trust domain"),
  caBundles: z
    .array(
      z.strictObject({
        type: z.enum(["Pem"]),
        pem: z.strictObject({
          value: z.string().min(1).describe("Certificates in PEM; no private keys"),
        }),
      }),
    )
    .min(1),
  origin: z.unknown().optional(),
});
export type MeshTrustSpec = z.infer<typeof meshTrustSchema>;

/** Which authorities are trusted for a SPIFFE trust domain. */
export const meshTrust = defineKind<MeshTrustSpec>({
  type: "MeshTrust",
  path: "meshtrusts",
  shortName: "mtrust",
  scope: "Mesh",
  shape: "plugin",
  singular: "Mesh Trust",
  plural: "Mesh Trusts",
  hasStatus: true,
  schema: meshTrustSchema,
  check: ({ caBundles }) => caBundles.flatMap(({ pem }, index) => checkBundle(pem.value, index)),
});

function checkBundle(pem: string, index: number): Violation[] {
  const field = `caBundles[${index}].pem.value`;
  if (pem.includes("PRIVATE KEY")) return [{ field, message: "must hold certificates only, not a private key" }];
  // Envoy would refuse all that the mesh trusts with it.
  if (!pemFacts(pem).certificate) return [{ field, message: "must hold certificates in PEM that can be read" }];
  return [];
}
