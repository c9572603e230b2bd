import { duration } from "@heddle/model/schema.ts";
import { onRateLimitSchema, rateSchema as rate } from "@heddle/model/rate-limit-schema.ts";
import { z } from "zod";

const rateSchema = rate(
  "How long a window is, at least 1s; windows begin with the Unix epoch, so 1m is each full minute",
);

const onRequestSchema = z.strictObject({
  kind: z.literal("OnHeader").describe("What tells the requests"),
  name: z.string().min(1).max(256).describe("Name of the header"),
  limits: z
    .array(
      z.strictObject({
        value: z.string().max(4_096).describe("What the header has to be, letter by letter"),
        requestRate: rateSchema.describe("Requests with that value that are let through"),
      }),
    )
    .min(1)
    .max(64)
    .describe("A limit for each value"),
});
/** Limits of requests that have a header with certain values. */
export type OnRequest = z.infer<typeof onRequestSchema>;

const httpSchema = z.strictObject({
  disabled: z.boolean().optional().describe("No limit, whatever weaker policies say (false)"),
  requestRate: rateSchema.optional().describe("Requests that all instances of the service together let through"),
  ratelimitOnRequest: z
    .array(onRequestSchema)
    .min(1)
    .max(16)
    .optional()
    .describe("More limits, for requests with certain headers; a request has to be within all that mean it"),
  onRateLimit: onRateLimitSchema.optional().describe("What becomes of the others"),
});

const backendSchema = z.strictObject({
  rateLimitService: z
    .strictObject({
      url: z.string().max(2_048).optional().describe("A rate limit service of yours; absent: the control plane counts"),
      timeout: duration().optional().describe("How long a request waits for the count (250ms)"),
      limitOnServiceFail: z
        .boolean()
        .optional()
        .describe("Refuse requests while nobody counts, instead of letting them through (false)"),
    })
    .describe("Who counts"),
});

export const globalRateLimitSchema = z.strictObject({
  http: httpSchema.optional().describe("Where requests are read: protocols http, http2 and grpc"),
  mode: z.enum(["Limit", "Shadow"]).optional().describe("Shadow counts and refuses nothing (Limit)"),
  backend: backendSchema.optional().describe("Who counts, and what happens when that fails"),
});
/** How much all instances of a service take in together. An absent field leaves what a weaker policy says. */
export type GlobalRateLimitConf = z.infer<typeof globalRateLimitSchema>;

export const itemSchema = z.strictObject({ default: globalRateLimitSchema.describe("The limits") });
