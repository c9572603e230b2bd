import { z } from "zod";
import { stringMap } from "./schema.ts";

/** Which OpenTelemetry collector a policy means: written out as in Kuma 2.x, or a MeshOpenTelemetryBackend. */
export const collectorSchema = z.strictObject({
  endpoint: z
    .string()
    .min(1)
    .max(2_048)
    .optional()
    .describe("Kuma 2.x: host:port of a collector that speaks gRPC (port 4317), or a URL for HTTP"),
  backendRef: z
    .strictObject({
      kind: z.enum(["MeshOpenTelemetryBackend"]).describe("What is referred to"),
      name: z.string().min(1).optional().describe("Selects one by name"),
      labels: stringMap().optional().describe("Selects the one with these labels"),
    })
    .optional()
    .describe("The collector"),
});
/** An OpenTelemetry collector, as policies name it. */
export type CollectorConf = z.infer<typeof collectorSchema>;
