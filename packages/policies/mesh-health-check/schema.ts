import { toMillis } from "@heddle/model/duration.ts";
import { policyKind } from "@heddle/model/policy-kind.ts";
import { duration, percentage } from "@heddle/model/schema.ts";
import type { Violation } from "@heddle/model/violation.ts";
import { z } from "zod";

const base64 = () =>
  z
    .string()
    .min(1)
    .max(65_536)
    .regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, 'must be base64, such as "cGluZw=="');
const disabled = z.boolean().optional().describe("Leaves this check out, also where a weaker policy has it");

const tcpSchema = z.strictObject({
  disabled,
  send: base64().optional().describe("What is sent, in base64; without it a connection that opens is enough"),
  receive: z
    .array(base64())
    .max(16)
    .optional()
    .describe("What the answer must hold, in base64: all of these in this order"),
});

// Envoy refuses to change these in any way.
const headerName = z
  .string()
  .min(1)
  .max(256)
  .regex(/^(?!host$)[^:]/i, 'must not be "host" or start with ":": Envoy sets these itself')
  .regex(/^:?[\w!#$%&'*+.^`|~-]+$/, 'must be the name of a header, such as "x-probe"');
const ONE_LINE = /^[^\0\n\r]*$/;
const NOT_ONE_LINE = "must not have line breaks or zero bytes";
const headers = () =>
  z
    .array(
      z.strictObject({
        name: headerName.describe("Name of the header"),
        value: z.string().max(4_096).regex(ONE_LINE, NOT_ONE_LINE).describe("Value of the header"),
      }),
    )
    .max(16)
    .optional();
const httpSchema = z.strictObject({
  disabled,
  path: z
    .string()
    .startsWith("/", 'must start with "/"')
    .max(1_024)
    .regex(ONE_LINE, NOT_ONE_LINE)
    .optional()
    .describe("Path that is asked for (/)"),
  requestHeadersToAdd: z
    .strictObject({
      set: headers().describe("Replaced, or added"),
      add: headers().describe("Added beside what is there"),
    })
    .optional()
    .describe("Headers of the request"),
  expectedStatuses: z
    .array(z.int().min(100).max(599))
    .max(64)
    .optional()
    .describe("Status codes of an instance that works (200)"),
});

const grpcSchema = z.strictObject({
  disabled,
  serviceName: z.string().max(256).optional().describe("Service that is asked about; the whole server when absent"),
  authority: z
    .string()
    .max(256)
    .regex(ONE_LINE, NOT_ONE_LINE)
    .optional()
    .describe("Authority of the request (the cluster's name)"),
});

const threshold = () => z.int().min(1).max(4_294_967_295).optional();
const healthCheckSchema = z.strictObject({
  interval: duration().optional().describe("Between two checks of an instance (1m)"),
  timeout: duration().optional().describe("How long a check may take (15s)"),
  unhealthyThreshold: threshold().describe("Failed checks in a row until an instance is left out (5)"),
  healthyThreshold: threshold().describe("Good checks in a row until it is used again (1)"),
  initialJitter: duration().optional().describe("Before the first check, up to this much is waited at random"),
  intervalJitter: duration().optional().describe("Up to this much is added to each interval at random"),
  intervalJitterPercent: z
    .int()
    .min(0)
    .max(100)
    .optional()
    .describe("Up to this share of the interval, in percent, is added to it at random"),
  healthyPanicThreshold: percentage()
    .optional()
    .describe("Kuma 2.x; in MeshCircuitBreaker today: below this share of healthy instances all are used (50)"),
  failTrafficOnPanic: z
    .boolean()
    .optional()
    .describe("When too few instances are healthy, requests fail instead of going to all (false)"),
  eventLogPath: z
    .string()
    .min(1)
    .max(4_096)
    .optional()
    .describe("File of the proxy's machine that gets a line when an instance is left out or used again"),
  alwaysLogHealthCheckFailures: z
    .boolean()
    .optional()
    .describe("Every failed check gets a line in that file, not only the first (false)"),
  noTrafficInterval: duration().optional().describe("Between two checks while nobody calls the service (60s)"),
  reuseConnection: z.boolean().optional().describe("Checks share a connection (true)"),
  tcp: tcpSchema.optional().describe("For protocol tcp, and for others whose own check is here with disabled: true"),
  http: httpSchema.optional().describe("For http and http2"),
  grpc: grpcSchema.optional().describe("For grpc: the service grpc.health.v1.Health"),
});
/** How instances are checked. Durations as written; what is absent is left as it is. */
export type HealthCheckConf = z.infer<typeof healthCheckSchema>;

/** The kind MeshHealthCheck. */
export const meshHealthCheckKind = policyKind({
  type: "MeshHealthCheck",
  path: "meshhealthchecks",
  shortName: "mhc",
  singular: "Mesh Health Check",
  plural: "Mesh Health Checks",
  targets: ["Mesh", "Dataplane", "MeshSubset", "MeshService", "MeshServiceSubset", "MeshGateway"],
  to: {
    targets: ["Mesh", "MeshService", "MeshExternalService", "MeshMultiZoneService"],
    item: z.strictObject({ default: healthCheckSchema.describe("The checks") }),
    check: (each, field) => checkConf(each.default, `${field}.default`),
  },
});

function checkConf(conf: HealthCheckConf, field: string): Violation[] {
  if (conf.tcp === undefined && conf.http === undefined && conf.grpc === undefined) {
    return [{ field, message: "must have at least one of tcp, http, grpc" }];
  }
  return (["interval", "timeout", "noTrafficInterval"] as const)
    .filter((name) => conf[name] !== undefined && toMillis(conf[name]) === 0)
    .map((name) => ({ field: `${field}.${name}`, message: 'must be more than zero, such as "10s"' }));
}
