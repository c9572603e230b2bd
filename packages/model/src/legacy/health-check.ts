import { z } from "zod";
import { toMillis } from "../duration.ts";
import { duration } from "../schema.ts";
import type { Violation } from "../violation.ts";
import { clientSide, compact, compactOrNothing, legacyKind } from "./legacy-kind.ts";
import { checkClientSide, connectionShape } from "./selector.ts";

const base64 = () =>
  z
    .string()
    .regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, 'must be base64, such as "cGluZw=="');
const headerSchema = z.strictObject({
  header: z.strictObject({ key: z.string().min(1).max(256), value: z.string().max(4_096).optional() }),
  append: z.boolean().optional().describe("Beside a header that is there (true), or in place of it"),
});
const httpSchema = z.strictObject({
  path: z.string().startsWith("/", 'must start with "/"').max(1_024).describe("Path that is asked for"),
  requestHeadersToAdd: z.array(headerSchema).max(16).optional().describe("Headers of the request"),
  expectedStatuses: z.array(z.int().min(100).max(599)).max(64).optional().describe("Statuses that are good (200)"),
});
const confSchema = z.strictObject({
  interval: duration().describe("Between two checks of an instance"),
  timeout: duration().describe("How long a check may take"),
  unhealthyThreshold: z.int().min(1).max(4_294_967_295).describe("Failed checks in a row until it is left out"),
  healthyThreshold: z.int().min(1).max(4_294_967_295).describe("Good checks in a row until it is used again"),
  initialJitter: duration().optional().describe("Up to this much is waited before the first check"),
  intervalJitter: duration().optional().describe("Up to this much is added to each interval"),
  intervalJitterPercent: z.int().min(0).max(100).optional().describe("The same as a share of the interval, in percent"),
  healthyPanicThreshold: z.number().min(0).max(100).optional().describe("Below this share all are used (50)"),
  failTrafficOnPanic: z.boolean().optional().describe("Then requests fail instead (false)"),
  eventLogPath: z.string().min(1).max(4_096).optional().describe("File for a line on each change"),
  alwaysLogHealthCheckFailures: z.boolean().optional().describe("A line for each failure (false)"),
  noTrafficInterval: duration().optional().describe("Between two checks while nobody calls (60s)"),
  reuseConnection: z.boolean().optional().describe("Checks share a connection (true)"),
  tcp: z
    .strictObject({ send: base64().optional(), receive: z.array(base64()).max(16).optional() })
    .optional()
    .describe("Bytes to send and to look for, in base64"),
  http: httpSchema.optional().describe("A request to send"),
});
type Conf = z.infer<typeof confSchema>;

/** Kuma 2.x: how the instances of a service are checked. */
export const healthCheck = legacyKind({
  type: "HealthCheck",
  path: "health-checks",
  shortName: "hc",
  singular: "Health Check",
  plural: "Health Checks",
  schema: z.strictObject({ ...connectionShape, conf: confSchema.describe("The checks") }),
  check: (spec) => [...checkClientSide(spec), ...checkConf(spec.conf)],
  legacy: {
    becomes: ["MeshHealthCheck"],
    side: "client",
    choice: "one",
    translate: (spec, { name }) => ({
      policies: clientSide(spec, { name, type: "MeshHealthCheck", item: { default: checksOf(spec.conf) } }),
      notes: notesOn(spec.conf),
    }),
  },
});

// Bytes are sent, or a connection that opens is enough, whatever a service speaks; today that has to be said.
const TCP_FOR_ALL = { http: { disabled: true }, grpc: { disabled: true } };

function checksOf({ tcp, http, healthyPanicThreshold, ...rest }: Conf): object {
  return {
    ...compact({ ...rest, healthyPanicThreshold: percentOf(healthyPanicThreshold) }),
    ...(http === undefined ? { tcp: compact(tcp ?? {}), ...TCP_FOR_ALL } : { http: requestOf(http) }),
  };
}

function percentOf(share: number | undefined): number | string | undefined {
  return share === undefined || Number.isInteger(share) ? share : String(Number(share.toFixed(4)));
}

function requestOf({ path, requestHeadersToAdd = [], expectedStatuses }: z.infer<typeof httpSchema>): object {
  const valuesOf = (append: boolean): object[] | undefined => {
    const some = requestHeadersToAdd.filter((each) => (each.append ?? true) === append);
    return some.length === 0 ? undefined : some.map(({ header: { key, value = "" } }) => ({ name: key, value }));
  };
  return compact({
    path,
    requestHeadersToAdd: compactOrNothing({ set: valuesOf(false), add: valuesOf(true) }),
    expectedStatuses,
  });
}

function notesOn({ http }: Conf): readonly string[] {
  if (http === undefined) return [];
  return ["conf.http: a MeshHealthCheck sends requests to services of protocols http and http2 only"];
}

function checkConf({ interval, timeout, noTrafficInterval, tcp, http }: Conf): readonly Violation[] {
  const zero = Object.entries({ interval, timeout, noTrafficInterval }).filter(
    ([, value]) => value !== undefined && toMillis(value) === 0,
  );
  const both = tcp !== undefined && http !== undefined;
  return [
    ...zero.map(([name]) => ({ field: `conf.${name}`, message: 'must be more than zero, such as "10s"' })),
    ...(both ? [{ field: "conf", message: "must have tcp or http, not both" }] : []),
  ];
}
