import { z } from "zod";
import { toMillis } from "../duration.ts";
import { duration } from "../schema.ts";
import type { Violation } from "../violation.ts";
import { clientSide, compact, compactOrNothing, legacyKind } from "./legacy-kind.ts";
import { checkClientSide, connectionShape } from "./selector.ts";

/** Reasons in Kuma 2.x's words, and in today's. */
const HTTP_REASONS = {
  all_5xx: "5xx",
  gateway_error: "GatewayError",
  reset: "Reset",
  connect_failure: "ConnectFailure",
  envoy_ratelimited: "EnvoyRatelimited",
  retriable_4xx: "Retriable4xx",
  refused_stream: "RefusedStream",
  retriable_status_codes: undefined,
  retriable_headers: undefined,
  http3_post_connect_failure: "Http3PostConnectFailure",
} as const;
const GRPC_REASONS = {
  cancelled: "Canceled",
  deadline_exceeded: "DeadlineExceeded",
  internal: "Internal",
  resource_exhausted: "ResourceExhausted",
  unavailable: "Unavailable",
} as const;
const METHODS = ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"] as const;

const common = {
  numRetries: z.int().min(1).max(4_294_967_295).optional().describe("How often, beyond the first time (1)"),
  perTryTimeout: duration().optional().describe("For each try"),
  backOff: z
    .strictObject({
      baseInterval: duration().describe("Wait before the first retry; it doubles with each"),
      maxInterval: duration().optional().describe("Longest wait (ten times baseInterval)"),
    })
    .optional()
    .describe("How long to wait between tries"),
};
const httpSchema = z.strictObject({
  ...common,
  retriableStatusCodes: z.array(z.int().min(100).max(599)).max(64).optional().describe("Statuses that are a reason"),
  retriableMethods: z.array(z.enum(METHODS)).optional().describe("Only requests with these methods"),
  retryOn: z
    .array(z.enum(keysOf(HTTP_REASONS)))
    .optional()
    .describe("What is tried again"),
});
const grpcSchema = z.strictObject({
  ...common,
  retryOn: z
    .array(z.enum(keysOf(GRPC_REASONS)))
    .optional()
    .describe("What is tried again"),
});
const confSchema = z.strictObject({
  http: httpSchema.optional().describe("Protocols http and http2"),
  tcp: z
    .strictObject({ maxConnectAttempts: z.int().min(1).max(4_294_967_295).describe("How often a connection is tried") })
    .optional()
    .describe("Where bytes are only moved"),
  grpc: grpcSchema.optional().describe("Protocol grpc"),
});
type Conf = z.infer<typeof confSchema>;
type Http = z.infer<typeof httpSchema>;
type Grpc = z.infer<typeof grpcSchema>;

/** Kuma 2.x: when and how requests to a service are tried again. */
export const retry = legacyKind({
  type: "Retry",
  path: "retries",
  shortName: "r",
  singular: "Retry",
  plural: "Retries",
  schema: z.strictObject({ ...connectionShape, conf: confSchema.describe("The retries") }),
  check: (spec) => [...checkClientSide(spec), ...checkConf(spec.conf)],
  legacy: {
    becomes: ["MeshRetry"],
    side: "client",
    choice: "one",
    translate: (spec, { name }) => ({
      policies: clientSide(spec, { name, type: "MeshRetry", item: { default: retriesOf(spec.conf) } }),
      notes: notesOn(spec.conf),
    }),
  },
});

function retriesOf({ http, tcp, grpc }: Conf): object {
  return compact({
    http: http && httpOf(http),
    tcp: tcp && { maxConnectAttempt: tcp.maxConnectAttempts },
    grpc: grpc && compact({ ...paceOf(grpc), retryOn: grpc.retryOn?.map((reason) => GRPC_REASONS[reason]) }),
  });
}

function httpOf(http: Http): object {
  const reasons = (http.retryOn ?? []).flatMap((reason) => HTTP_REASONS[reason] ?? []);
  const statuses = (http.retriableStatusCodes ?? []).map(String);
  // Statuses come beside the reasons that count by default, which are gone as soon as one is written.
  const implied = statuses.length > 0 && http.retryOn === undefined ? DEFAULT_REASONS : [];
  const methods = (http.retriableMethods ?? []).map(
    (method) => `HttpMethod${method[0]}${method.slice(1).toLowerCase()}`,
  );
  const retryOn = [...implied, ...reasons, ...statuses, ...methods];
  return compact({ ...paceOf(http), retryOn: retryOn.length === 0 ? undefined : retryOn });
}

const DEFAULT_REASONS = ["GatewayError", "ConnectFailure", "RefusedStream"];

function paceOf({ numRetries, perTryTimeout, backOff }: Http | Grpc): Record<string, unknown> {
  return { numRetries, perTryTimeout, backOff: backOff && compactOrNothing(backOff) };
}

function notesOn({ http }: Conf): readonly string[] {
  const pointless = http?.retryOn?.includes("retriable_headers") === true;
  return pointless ? ["conf.http.retryOn: retriable_headers was left out: a Retry has no way to name headers"] : [];
}

function checkConf({ http, tcp, grpc }: Conf): readonly Violation[] {
  if (http === undefined && tcp === undefined && grpc === undefined) {
    return [{ field: "conf", message: "must have at least one of http, tcp, grpc" }];
  }
  return [...(http === undefined ? [] : checkPart(http, "conf.http")), ...(grpc ? checkPart(grpc, "conf.grpc") : [])];
}

function checkPart(part: Http | Grpc, field: string): readonly Violation[] {
  if (Object.values(part).every((value) => value === undefined)) {
    return [{ field, message: "must set something, such as numRetries: 5" }];
  }
  const durations = [
    ["perTryTimeout", part.perTryTimeout],
    ["backOff.baseInterval", part.backOff?.baseInterval],
    ["backOff.maxInterval", part.backOff?.maxInterval],
  ] as const;
  const zero = durations.filter(([, value]) => value !== undefined && toMillis(value) === 0);
  const twice = (part.retryOn ?? []).filter((reason, index, all) => all.indexOf(reason as never) !== index);
  return [
    ...zero.map(([name]) => ({ field: `${field}.${name}`, message: 'must be more than zero, such as "1s"' })),
    ...[...new Set(twice)].map((reason) => ({ field: `${field}.retryOn`, message: `must name "${reason}" once only` })),
  ];
}

function keysOf<Key extends string>(table: Readonly<Record<Key, unknown>>): readonly [Key, ...Key[]] {
  return Object.keys(table) as [Key, ...Key[]];
}
