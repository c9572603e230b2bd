import { backendRefSchema } from "@heddle/model/target-ref.ts";
import { z } from "zod";

const ruleSchema = z.strictObject({
  default: z
    .strictObject({
      backendRefs: z
        .array(backendRefSchema)
        .optional()
        .describe("Where connections go instead (the destination itself)"),
    })
    .describe("What becomes of connections"),
});

export const itemSchema = z.strictObject({
  rules: z.array(ruleSchema).max(1).describe("One rule at most: nothing tells connections apart"),
});
/** The routes of connections towards one destination. */
export type RouteItem = z.infer<typeof itemSchema>;
