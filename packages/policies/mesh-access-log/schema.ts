import { collectorSchema } from "@heddle/model/collector-schema.ts";
import { z } from "zod";

const operators = "with command operators such as %START_TIME%, %REQ(USER-AGENT)% or %KUMA_SOURCE_SERVICE%";

const formatSchema = z.strictObject({
  type: z.enum(["Plain", "Json"]).describe("A line of text, or a JSON object in a line"),
  plain: z.string().min(1).max(16_384).optional().describe(`With Plain: the line, ${operators}`),
  json: z
    .array(
      z.strictObject({
        key: z.string().min(1).max(256).describe("Name of the field"),
        value: z.string().min(1).max(4_096).describe(`Its value, ${operators}`),
      }),
    )
    .min(1)
    .max(256)
    .optional()
    .describe("With Json: the fields"),
  omitEmptyValues: z.boolean().optional().describe('Leave out what has no value, instead of "-" or null (false)'),
});
/** How a line looks. */
export type FormatConf = z.infer<typeof formatSchema>;

const otelSchema = collectorSchema.extend({
  attributes: z
    .array(
      z.strictObject({
        key: z.string().min(1).max(256).describe("Name of the attribute"),
        value: z.string().max(4_096).describe(`Its value, ${operators}`),
      }),
    )
    .max(256)
    .optional()
    .describe("Attributes of each record"),
  body: z
    .unknown()
    .optional()
    .describe("Body of each record: text, or an OTLP value such as {kvlistValue: {values: [...]}} (the default line)"),
});
/** A collector of OpenTelemetry, and what it gets. */
export type OtelConf = z.infer<typeof otelSchema>;

const backendSchema = z.strictObject({
  type: z.enum(["Tcp", "File", "OpenTelemetry"]).describe("Which of the fields below says where to"),
  tcp: z
    .strictObject({
      address: z.string().min(1).max(512).describe("host:port of whoever takes the lines"),
      format: formatSchema.optional().describe("How a line looks"),
    })
    .optional()
    .describe("Lines over TCP"),
  file: z
    .strictObject({
      path: z.string().min(1).max(4_096).describe("Path on the proxy's machine; /dev/stdout is the proxy's own output"),
      format: formatSchema.optional().describe("How a line looks"),
    })
    .optional()
    .describe("Lines in a file"),
  openTelemetry: otelSchema.optional().describe("Records for an OpenTelemetry collector"),
});
/** One place that requests are written to. */
export type BackendConf = z.infer<typeof backendSchema>;

const confSchema = z.strictObject({
  backends: z.array(backendSchema).max(16).describe("Where to; none when empty"),
});
/** Where requests are written to. */
export type AccessLogConf = z.infer<typeof confSchema>;

/** The fields of an item. */
export const itemSchema = z.strictObject({ default: confSchema.describe("What is written, and where to") });
