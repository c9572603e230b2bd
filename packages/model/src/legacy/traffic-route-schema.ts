import { z } from "zod";
import { connectionShape } from "./selector.ts";

const destination = z
  .record(z.string(), z.string())
  .describe("Where to, by tags; * as kuma.io/service: where it was sent");
const splitSchema = z.strictObject({
  weight: z.int().min(0).max(1_000_000).describe("Share, relative to the others; 0 for none"),
  destination,
});
export type Split = z.infer<typeof splitSchema>;
const whereTo = {
  split: z.array(splitSchema).optional().describe("Where to, by weight"),
  destination: destination.optional(),
};
/** Where requests go: by weight, or to one destination. */
export interface WhereTo {
  readonly split?: readonly Split[] | undefined;
  readonly destination?: Readonly<Record<string, string>> | undefined;
}

const textSchema = z.strictObject({
  prefix: z.string().max(1_024).optional(),
  exact: z.string().max(1_024).optional(),
  regex: z.string().max(1_024).optional().describe("In RE2's syntax"),
});
export type TextMatch = z.infer<typeof textSchema>;
const replaceSchema = z.strictObject({
  pattern: z.string().min(1).max(1_024).describe("In RE2's syntax"),
  substitution: z.string().min(1).max(1_024).describe("What stands in its place"),
});
const headersSchema = z.strictObject({
  add: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(256),
        value: z.string().min(1).max(4_096),
        append: z.boolean().optional().describe("Beside a header that is there, or in place of it (false)"),
      }),
    )
    .optional(),
  remove: z.array(z.strictObject({ name: z.string().min(1).max(256) })).optional(),
});
export type Headers = z.infer<typeof headersSchema>;

const modifySchema = z.strictObject({
  path: z
    .strictObject({
      rewritePrefix: z.string().min(1).max(1_024).optional().describe("In place of the prefix that matched"),
      regex: replaceSchema.optional(),
    })
    .optional(),
  host: z.strictObject({ value: z.string().min(1).max(253).optional(), fromPath: replaceSchema.optional() }).optional(),
  requestHeaders: headersSchema.optional(),
  responseHeaders: headersSchema.optional(),
});
export type Modify = z.infer<typeof modifySchema>;

const httpSchema = z.strictObject({
  match: z
    .strictObject({
      method: textSchema.optional(),
      path: textSchema.optional(),
      headers: z.record(z.string().min(1).max(256), textSchema).optional().describe("All of these"),
    })
    .describe("Which requests"),
  modify: modifySchema.optional().describe("What is changed about them"),
  ...whereTo,
});
export type Http = z.infer<typeof httpSchema>;

const loadBalancerSchema = z.strictObject({
  roundRobin: z.strictObject({}).optional(),
  leastRequest: z
    .strictObject({ choiceCount: z.int().min(0).max(4_294_967_295).optional().describe("(2)") })
    .optional(),
  ringHash: z
    .strictObject({
      hashFunction: z.enum(["XX_HASH", "MURMUR_HASH_2"]).optional(),
      minRingSize: z.int().min(1).max(8_388_608).optional(),
      maxRingSize: z.int().min(1).max(8_388_608).optional(),
    })
    .optional(),
  random: z.strictObject({}).optional(),
  maglev: z.strictObject({}).optional(),
});
export type LoadBalancer = z.infer<typeof loadBalancerSchema>;

const confSchema = z.strictObject({
  ...whereTo,
  loadBalancer: loadBalancerSchema.optional().describe("How an instance is picked (roundRobin)"),
  http: z.array(httpSchema).optional().describe("What becomes of some requests, looked at in this order"),
});
export type Conf = z.infer<typeof confSchema>;

/** The fields of a TrafficRoute. */
export const trafficRouteSchema = z.strictObject({ ...connectionShape, conf: confSchema.describe("Where to") });
export type TrafficRouteSpec = z.infer<typeof trafficRouteSchema>;
