import { z } from "zod";
import { defineKind } from "../kind.ts";
import { port } from "../schema.ts";

const schema = z.strictObject({
  endpoint: z
    .strictObject({
      address: z.string().min(1).max(253).optional().describe("Host name or IP address (the proxy's own machine)"),
      port: port().optional().describe("Port (4317); with protocol http, 443 means TLS"),
      path: z
        .string()
        .startsWith("/")
        .max(1_024)
        .optional()
        .describe("With protocol http: what stands before /v1/traces and /v1/logs"),
    })
    .optional()
    .describe("Where the collector is"),
  protocol: z.enum(["grpc", "http"]).optional().describe("How it is spoken to (grpc)"),
  env: z
    .strictObject({
      mode: z.enum(["Disabled", "Optional", "Required"]).optional().describe("For kuma-dp; read by nobody here"),
      precedence: z.enum(["EnvFirst", "ExplicitFirst"]).optional(),
      allowSignalOverrides: z.boolean().optional(),
    })
    .optional()
    .describe("Which OTEL_ variables of kuma-dp count; proxies of Heddle read none"),
});
/** An OpenTelemetry collector that policies refer to. */
export type TelemetryBackendSpec = z.infer<typeof schema>;

/** OpenTelemetry collectors that MeshAccessLog and MeshTrace refer to by name. */
export const meshOpenTelemetryBackend = defineKind<TelemetryBackendSpec>({
  type: "MeshOpenTelemetryBackend",
  path: "meshopentelemetrybackends",
  shortName: "motb",
  scope: "Mesh",
  shape: "plugin",
  singular: "Mesh Open Telemetry Backend",
  plural: "Mesh Open Telemetry Backends",
  schema,
  check: ({ endpoint, protocol }) =>
    endpoint?.path !== undefined && protocol !== "http"
      ? [{ field: "endpoint.path", message: "must not be set unless protocol is http" }]
      : [],
});
