import { policyKind } from "@heddle/model/policy-kind.ts";
import { duration, nearest } from "@heddle/model/schema.ts";
import { z } from "zod";
import { checkConf, warnForRoute } from "./check.ts";

const tcpSchema = z.strictObject({
  maxConnectAttempt: z
    .int()
    .min(1)
    .max(4_294_967_295)
    .describe("How often a connection is tried, the first time included"),
});

const backOffSchema = z.strictObject({
  baseInterval: duration().optional().describe("Wait before the first retry; it doubles with each, with jitter (25ms)"),
  maxInterval: duration().optional().describe("Longest wait (ten times baseInterval)"),
});

const headerName = () =>
  z
    .string()
    .min(1)
    .max(256)
    .regex(/^:?[\w!#$%&'*+.^`|~-]+$/, 'must be the name of a header, such as "retry-after"');

const rateLimitedSchema = z.strictObject({
  resetHeaders: z
    .array(
      z.strictObject({
        name: headerName().describe("Name of the response's header, such as retry-after"),
        format: z.enum(["Seconds", "UnixTimestamp"]).describe("Whether it tells how long to wait, or until when"),
      }),
    )
    .min(1)
    .max(16)
    .describe("Headers in which an answer may say when to come back; the first that is there counts"),
  maxInterval: duration().optional().describe("A longer wait is not taken from a header (300s)"),
});

const headerSchema = z.strictObject({
  type: z
    .enum(["Exact", "Present", "RegularExpression", "Absent", "Prefix"])
    .optional()
    .describe("How the header is looked at (Exact)"),
  name: headerName().describe("Name of the header"),
  value: z.string().min(1).max(4_096).optional().describe("What is looked for; not with Present and Absent"),
});
const headers = () => z.array(headerSchema).max(16).optional();
/** A header that makes a difference. */
export type HeaderConf = z.infer<typeof headerSchema>;

const hostSchema = z.strictObject({
  predicate: z
    .enum(["OmitPreviousHosts", "OmitHostsWithTags", "OmitPreviousPriorities"])
    .describe("Not where it was tried, not where these tags are, or not in the priorities that were tried"),
  tags: z.record(z.string(), z.string()).optional().describe("With OmitHostsWithTags: all tags that such hosts have"),
  updateFrequency: z
    .int()
    .min(0)
    .max(2_147_483_647)
    .optional()
    .describe("With OmitPreviousPriorities: after how many tries the next priority is used (2)"),
});

const METHODS = ["Connect", "Delete", "Get", "Head", "Options", "Patch", "Post", "Put", "Trace"] as const;
const httpReasons = [
  "5xx",
  "5XX",
  "GatewayError",
  "Reset",
  "Retriable4xx",
  "ConnectFailure",
  "EnvoyRatelimited",
  "RefusedStream",
  "Http3PostConnectFailure",
  ...METHODS.map((method) => `HttpMethod${method}` as const),
] as const;
const statusCode = z.string().regex(/^[1-5]\d\d$/, {
  error: ({ input }) => {
    const near = nearest(String(input), httpReasons);
    const which = near === undefined ? httpReasons.join(", ") : `such as "${near}"`;
    return `must be a reason (${which}) or a status code such as "503"`;
  },
});
const grpcReasons = ["Canceled", "DeadlineExceeded", "Internal", "ResourceExhausted", "Unavailable"] as const;

const common = {
  numRetries: z.int().min(0).max(4_294_967_295).optional().describe("How often, beyond the first time (1)"),
  perTryTimeout: duration().optional().describe("For each try (the route's timeout, which bounds all tries together)"),
  backOff: backOffSchema.optional().describe("How long to wait between tries"),
  rateLimitedBackOff: rateLimitedSchema.optional().describe("How long to wait when the answer says so"),
};

const httpSchema = z.strictObject({
  ...common,
  retryOn: z
    .array(z.union([z.enum(httpReasons), statusCode]))
    .max(64)
    .optional()
    .describe(
      "What is tried again: reasons (GatewayError, ConnectFailure, RefusedStream), status codes such as 503 as text, and HttpMethod... for these methods only",
    ),
  retriableResponseHeaders: headers().describe("An answer with any of these is a reason to try again"),
  retriableRequestHeaders: headers().describe("Only requests with any of these are tried again"),
  hostSelection: z.array(hostSchema).max(16).optional().describe("Which instances are left out when trying again"),
  hostSelectionMaxAttempts: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe("How often another instance is picked before the last one picked has to do (1)"),
});
const grpcSchema = z.strictObject({
  ...common,
  retryOn: z
    .array(z.enum(grpcReasons))
    .max(16)
    .optional()
    .describe("What is tried again (Canceled, ResourceExhausted, Unavailable, and failures of the transport)"),
});

const retrySchema = z.strictObject({
  tcp: tcpSchema.optional().describe("Where bytes are only moved: protocol tcp"),
  http: httpSchema.optional().describe("Protocols http and http2"),
  grpc: grpcSchema.optional().describe("Protocol grpc"),
});
/** When and how something is tried again. Durations as written; what is absent is left as it is. */
export type RetryConf = z.infer<typeof retrySchema>;
export type HttpRetryConf = z.infer<typeof httpSchema>;
export type GrpcRetryConf = z.infer<typeof grpcSchema>;

const legacy = { to: ["Mesh", "MeshExternalService"] } as const;

/** The kind MeshRetry. */
export const meshRetryKind = policyKind({
  type: "MeshRetry",
  path: "meshretries",
  shortName: "mr",
  singular: "Mesh Retry",
  plural: "Mesh Retries",
  targets: ["Mesh", "Dataplane", "MeshSubset", "MeshService", "MeshServiceSubset", "MeshGateway", "MeshHTTPRoute"],
  to: {
    targets: ["Mesh", "MeshService", "MeshExternalService", "MeshMultiZoneService", "MeshHTTPRoute"],
    item: z.strictObject({ default: retrySchema.describe("The retries") }),
    check: (each, field) => checkConf(each.default, `${field}.default`),
    warn: (each, field, top) => {
      const forRoute = each.targetRef.kind === "MeshHTTPRoute" || top.kind === "MeshHTTPRoute";
      return forRoute ? warnForRoute(each.default, `${field}.default`) : [];
    },
  },
  under: { MeshGateway: legacy, MeshHTTPRoute: legacy },
});
