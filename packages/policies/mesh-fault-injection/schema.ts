import { duration, percentage } from "@heddle/model/schema.ts";
import { z } from "zod";

const faultSchema = z.strictObject({
  abort: z
    .strictObject({
      httpStatus: z.int().min(200).max(599).describe("Status of the answer"),
      percentage: percentage().describe("Share of the requests that are answered so"),
    })
    .optional()
    .describe("Answers requests at once, in place of the application"),
  delay: z
    .strictObject({
      value: duration().describe("How long a request is held back; more than zero"),
      percentage: percentage().describe("Share of the requests that are held back"),
    })
    .optional()
    .describe("Holds requests back before they go on"),
  responseBandwidth: z
    .strictObject({
      limit: z.string().max(32).describe('How much of a response passes in a second: "50kbps", "10Mbps" or "1Gbps"'),
      percentage: percentage().describe("Share of the responses that are slowed down"),
    })
    .optional()
    .describe("Slows responses down"),
});
/** Something that goes wrong on purpose; its parts are decided by chance each on its own. */
export type Fault = z.infer<typeof faultSchema>;

export const faultsSchema = z.strictObject({
  http: z.array(faultSchema).max(32).optional().describe("Faults, one after the other; none when the list is empty"),
});
/** What goes wrong on purpose. An absent list leaves what a weaker policy says. */
export type FaultsConf = z.infer<typeof faultsSchema>;

export const itemSchema = z.strictObject({ default: faultsSchema.describe("The faults") });
