import { z } from "zod";
import { defineKind } from "../kind.ts";
import { unquoted } from "../schema.ts";

const base64 = unquoted(z.string().regex(/^[A-Za-z0-9+/=\s]*$/, { error: "must be base64" }));

export const secretSchema = z.strictObject({
  data: base64.optional().describe("The secret, in base64"),
});
export type SecretSpec = z.infer<typeof secretSchema>;

/** Secret material of one mesh. */
export const secret = defineKind<SecretSpec>({
  type: "Secret",
  path: "secrets",
  scope: "Mesh",
  shape: "core",
  singular: "Secret",
  plural: "Secrets",
  secret: true,
  schema: secretSchema,
});

/** Secret material of the whole installation. */
export const globalSecret = defineKind<SecretSpec>({
  type: "GlobalSecret",
  path: "globalsecrets",
  pathAliases: ["global-secrets"],
  scope: "Global",
  shape: "core",
  singular: "Global Secret",
  plural: "Global Secrets",
  secret: true,
  schema: secretSchema,
});

export const zoneSchema = z.strictObject({
  enabled: z.boolean().optional().describe("Whether the zone may connect (true)"),
});
export type ZoneSpec = z.infer<typeof zoneSchema>;

/** A place with its own control plane. */
export const zone = defineKind<ZoneSpec>({
  type: "Zone",
  path: "zones",
  shortName: "z",
  scope: "Global",
  shape: "core",
  singular: "Zone",
  plural: "Zones",
  nameIsLabel: true,
  schema: zoneSchema,
});

/** What a zone's control plane reported. */
export const zoneInsight = defineKind({
  type: "ZoneInsight",
  path: "zone-insights",
  scope: "Global",
  shape: "core",
  singular: "Zone Insight",
  plural: "Zone Insights",
  readOnly: true,
  volatile: true,
  schema: z.looseObject({ subscriptions: z.array(z.unknown()).optional() }),
});
