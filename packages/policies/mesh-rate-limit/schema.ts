import { onRateLimitSchema, rateSchema as rate } from "@heddle/model/rate-limit-schema.ts";
import { z } from "zod";

export type { OnRateLimit, Rate } from "@heddle/model/rate-limit-schema.ts";

const rateSchema = rate("How long until as many are allowed again; more than 50ms");

const httpSchema = z.strictObject({
  disabled: z.boolean().optional().describe("No limit, whatever weaker policies say (false)"),
  requestRate: rateSchema.optional().describe("Requests that are let through"),
  onRateLimit: onRateLimitSchema.optional().describe("What becomes of the others"),
});
/** How many requests one proxy lets in. */
export type HttpLimit = z.infer<typeof httpSchema>;

const tcpSchema = z.strictObject({
  disabled: z.boolean().optional().describe("No limit, whatever weaker policies say (false)"),
  connectionRate: rateSchema.optional().describe("Connections that are accepted; the others are closed at once"),
});
/** How many connections one proxy accepts. */
export type TcpLimit = z.infer<typeof tcpSchema>;

export const rateLimitSchema = z.strictObject({
  local: z
    .strictObject({
      http: httpSchema.optional().describe("Where requests are read: protocols http, http2 and grpc"),
      tcp: tcpSchema.optional().describe("Connections, on every port"),
    })
    .optional()
    .describe("Limits that each proxy counts for itself"),
});
/** How much comes in. An absent field leaves what a weaker policy says. */
export type RateLimitConf = z.infer<typeof rateLimitSchema>;

export const itemSchema = z.strictObject({ default: rateLimitSchema.describe("The limits") });
