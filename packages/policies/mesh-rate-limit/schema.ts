import { duration } from "@heddle/model/schema.ts";
import { z } from "zod";

const rateSchema = z.strictObject({
  num: z.int().min(1).max(4_294_967_295).describe("How many in each interval; they may all come at once"),
  interval: duration().describe("How long until as many are allowed again; more than 50ms"),
});
/** So many in so much time. */
export type Rate = z.infer<typeof rateSchema>;

const headerSchema = z.strictObject({
  name: z.string().min(1).max(256).describe("Name of the header"),
  value: z.string().max(4_096).describe("Value of the header, as it is to arrive"),
});

const onRateLimitSchema = z.strictObject({
  status: z.int().min(400).max(599).optional().describe("Status of the answer to a request over the limit (429)"),
  headers: z
    .strictObject({
      set: z.array(headerSchema).min(1).max(16).optional().describe("Headers of that answer, in place of others"),
      add: z.array(headerSchema).min(1).max(16).optional().describe("Headers of that answer, beside others"),
    })
    .optional()
    .describe("Headers of the answer to a request over the limit"),
});
/** What a caller gets whose request is over the limit. */
export type OnRateLimit = z.infer<typeof onRateLimitSchema>;

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
