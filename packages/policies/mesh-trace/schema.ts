import { collectorSchema } from "@heddle/model/collector-schema.ts";
import { percentage } from "@heddle/model/schema.ts";
import { z } from "zod";

const zipkinSchema = z.strictObject({
  url: z.string().min(1).max(2_048).describe("Where spans are posted, such as http://jaeger:9411/api/v2/spans"),
  traceId128bit: z.boolean().optional().describe("IDs of traces have 128 bits instead of 64 (false)"),
  apiVersion: z.enum(["httpJson", "httpProto"]).optional().describe("How spans are written (httpJson)"),
  sharedSpanContext: z.boolean().optional().describe("Client and server share one span (true)"),
});
/** A collector that speaks Zipkin's protocol. */
export type ZipkinConf = z.infer<typeof zipkinSchema>;

const datadogSchema = z.strictObject({
  url: z.string().min(1).max(2_048).describe("The agent, host and port only: http://127.0.0.1:8126"),
  splitService: z
    .boolean()
    .optional()
    .describe("Call services backend_INBOUND and backend_OUTBOUND_redis instead of backend (false)"),
});
/** An agent of Datadog. */
export type DatadogConf = z.infer<typeof datadogSchema>;

const backendSchema = z.strictObject({
  type: z.enum(["Zipkin", "Datadog", "OpenTelemetry"]).describe("Which of the fields below says where to"),
  zipkin: zipkinSchema.optional().describe("Zipkin, Jaeger and others that speak its protocol"),
  datadog: datadogSchema.optional().describe("Datadog's agent"),
  openTelemetry: collectorSchema.optional().describe("An OpenTelemetry collector"),
});
/** Where spans go. */
export type BackendConf = z.infer<typeof backendSchema>;

const tagSchema = z.strictObject({
  name: z.string().min(1).max(256).describe("Name of the tag"),
  literal: z.string().max(4_096).optional().describe("Its value"),
  header: z
    .strictObject({
      name: z.string().min(1).max(256).describe("The request's header that has the value"),
      default: z.string().max(4_096).optional().describe("What stands in for a header that is not there (no tag then)"),
    })
    .optional()
    .describe("Takes the value from a header"),
});

/** What stands under `default`. */
export const confSchema = z.strictObject({
  backends: z.array(backendSchema).describe("Where spans go: one place, or none"),
  sampling: z
    .strictObject({
      overall: percentage()
        .optional()
        .describe("Share of requests that may be traced at all, whatever the rest says (100)"),
      random: percentage().optional().describe("Share of requests for which a trace is begun (100)"),
      client: percentage().optional().describe("Share of requests with x-client-trace-id that are traced (100)"),
    })
    .optional()
    .describe("How many requests are traced, in percent"),
  tags: z.array(tagSchema).max(64).optional().describe("What spans tell beside the usual"),
});
/** How requests are traced. */
export type TraceConf = z.infer<typeof confSchema>;
