import { z } from "zod";
import { errorStatus } from "./error-status.ts";
import { duration } from "./schema.ts";

/** So many in so much time; `interval` says what the time is good for. */
export function rateSchema(interval: string) {
  return z.strictObject({
    num: z.int().min(1).max(4_294_967_295).describe("How many in each interval; they may all come at once"),
    interval: duration().describe(interval),
  });
}
/** So many in so much time. */
export type Rate = z.infer<ReturnType<typeof rateSchema>>;

const headerSchema = z.strictObject({
  name: z.string().min(1).max(256).describe("Name of the header"),
  value: z.string().max(4_096).describe("Value of the header, as it is to arrive"),
});

export const onRateLimitSchema = z.strictObject({
  status: errorStatus().optional().describe("Status of the answer to a request over the limit (429)"),
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
