import { collectorSchema } from "@heddle/model/collector-schema.ts";
import { duration, port } from "@heddle/model/schema.ts";
import { z } from "zod";

const selectorSchema = z.strictObject({
  type: z.enum(["Prefix", "Regex", "Exact", "Contains"]).describe("How names are compared"),
  match: z
    .string()
    .min(1)
    .max(1_024)
    .describe("What a metric's name is compared with; RE2's syntax with Regex, found anywhere in the name"),
});
/** Names of metrics. */
export type SelectorConf = z.infer<typeof selectorSchema>;

const sidecarSchema = z.strictObject({
  profiles: z
    .strictObject({
      appendProfiles: z
        .array(z.strictObject({ name: z.enum(["All", "Basic", "None"]).describe("Name of the profile") }))
        .max(16)
        .optional()
        .describe("Which metrics of the proxy are told; the broadest counts (Basic)"),
      exclude: z.array(selectorSchema).max(64).optional().describe("Leaves these out"),
      include: z.array(selectorSchema).max(64).optional().describe("Has these in any case, whatever the rest says"),
    })
    .optional()
    .describe("Which metrics of the proxy are told"),
  includeUnused: z.boolean().optional().describe("Also metrics that never changed (false)"),
});
/** What is told about the proxy itself. */
export type SidecarConf = z.infer<typeof sidecarSchema>;

const applicationSchema = z.strictObject({
  name: z.string().min(1).max(256).optional().describe("What messages call it"),
  path: z.string().min(1).max(2_048).optional().describe("Path of its metrics (/metrics)"),
  address: z
    .string()
    .min(1)
    .max(253)
    .optional()
    .describe("Where it listens (with a port of an inbound: where that leads; otherwise the Dataplane's address)"),
  port: port().describe("Port of its metrics"),
});
/** An application whose metrics are told beside the proxy's. */
export type ApplicationConf = z.infer<typeof applicationSchema>;

const prometheusSchema = z.strictObject({
  clientId: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe("Which Prometheus it is for, when it asks the control plane"),
  port: port().optional().describe("Port that Prometheus asks (5670)"),
  path: z.string().min(1).max(2_048).optional().describe("Path that Prometheus asks (/metrics)"),
  tls: z
    .strictObject({
      mode: z
        .enum(["Disabled", "ProvidedTLS", "ActiveMTLSBackend"])
        .optional()
        .describe("Plain, with files on the proxy's machine, or mutual TLS of the mesh (Disabled)"),
    })
    .optional()
    .describe("How the port is secured"),
});
/** A port for Prometheus. */
export type PrometheusConf = z.infer<typeof prometheusSchema>;

const openTelemetrySchema = collectorSchema.extend({
  refreshInterval: duration().optional().describe("How often metrics are sent (60s)"),
});
/** A collector of OpenTelemetry. */
export type OpenTelemetryConf = z.infer<typeof openTelemetrySchema>;

const backendSchema = z.strictObject({
  type: z.enum(["Prometheus", "OpenTelemetry"]).describe("Which of the fields below says where to"),
  prometheus: prometheusSchema.optional().describe("A port for Prometheus"),
  openTelemetry: openTelemetrySchema.optional().describe("An OpenTelemetry collector"),
});
/** Who gets metrics. */
export type BackendConf = z.infer<typeof backendSchema>;

/** What stands under `default`. */
export const confSchema = z.strictObject({
  sidecar: sidecarSchema.optional().describe("What is told about the proxy itself"),
  applications: z.array(applicationSchema).max(32).optional().describe("Applications whose metrics are told as well"),
  backends: z.array(backendSchema).max(16).optional().describe("Who gets metrics"),
});
/** Which metrics of a proxy go where. */
export type MetricConf = z.infer<typeof confSchema>;
