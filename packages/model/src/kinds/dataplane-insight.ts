import { z } from "zod";
import { defineKind } from "../kind.ts";

const counters = z.strictObject({
  responsesSent: z.string().optional(),
  responsesAcknowledged: z.string().optional(),
  responsesRejected: z.string().optional(),
});

const subscription = z.strictObject({
  id: z.string(),
  controlPlaneInstanceId: z.string(),
  connectTime: z.string().optional(),
  disconnectTime: z.string().optional().describe("Set once the stream has ended"),
  generation: z.int().optional(),
  status: z
    .strictObject({
      lastUpdateTime: z.string().optional(),
      total: counters.optional(),
      cds: counters.optional(),
      eds: counters.optional(),
      lds: counters.optional(),
      rds: counters.optional(),
      sds: counters.optional(),
    })
    .optional(),
  version: z.unknown().optional(),
});
export type Subscription = z.infer<typeof subscription>;

const rejection = z.strictObject({
  typeUrl: z.string(),
  resources: z.array(z.string()).describe("Names of the Envoy resources that Envoy refused"),
  detail: z.string().describe("Envoy's own words"),
  origins: z.array(z.string()).optional().describe("KRIs of the resources whose content was refused"),
  time: z.string(),
});
export type Rejection = z.infer<typeof rejection>;

const refusedHost = z.strictObject({
  peer: z.string().describe("Address and port that the stream came from"),
  time: z.string(),
});
export type RefusedHost = z.infer<typeof refusedHost>;

export const dataplaneInsightSchema = z.strictObject({
  subscriptions: z.array(subscription).optional(),
  mTLS: z
    .strictObject({
      certificateExpirationTime: z.string().optional(),
      lastCertificateRegeneration: z.string().optional(),
      certificateRegenerations: z.int().optional(),
      issuedBackend: z.string().optional(),
      supportedBackends: z.array(z.string()).optional(),
      certificateName: z.string().optional().describe("Name under which the proxy gets it by SDS"),
      certificateVersion: z
        .string()
        .optional()
        .describe("Hash of what the proxy holds; tells it apart, and nothing else"),
      certificateBasis: z.string().optional().describe("Hash of what the certificate was issued for, and by whom"),
      certificateAuthority: z.string().optional().describe("Hash of the roots that the certificate ends in"),
      certificateRenewalTime: z.string().optional().describe("When the next certificate is due"),
    })
    .optional(),
  metadata: z.unknown().optional(),
  rejections: z
    .array(rejection)
    .optional()
    .describe("What Envoy refuses now; the last good configuration stays in force"),
  refusedHosts: z
    .array(refusedHost)
    .optional()
    .describe("Hosts that came with a token for this proxy while it was connected from another one"),
});
export type DataplaneInsightSpec = z.infer<typeof dataplaneInsightSchema>;

/** What is known of a proxy: its connections, what it acknowledged or refused, its certificate. */
export const dataplaneInsight = defineKind<DataplaneInsightSpec>({
  type: "DataplaneInsight",
  path: "dataplane-insights",
  scope: "Mesh",
  shape: "core",
  singular: "Data Plane Insight",
  plural: "Data Plane Insights",
  readOnly: true,
  volatile: true,
  schema: dataplaneInsightSchema,
});

/** A proxy is online while one of its subscriptions is connected. */
export function isOnline(insight: DataplaneInsightSpec | undefined): boolean {
  return (
    insight?.subscriptions?.some((each) => each.connectTime !== undefined && each.disconnectTime === undefined) ?? false
  );
}
