import { toMillis } from "@heddle/model/duration.ts";
import { policyKind } from "@heddle/model/policy-kind.ts";
import { duration, percentage } from "@heddle/model/schema.ts";
import type { Violation } from "@heddle/model/violation.ts";
import { z } from "zod";

const count = () => z.int().min(0).max(MOST).optional();
/** The largest number that fits into Envoy's fields: as good as no limit. */
export const MOST = 4_294_967_295;

const limitsSchema = z.strictObject({
  maxConnections: count().describe("Connections at one time (1024); 0 for no limit"),
  maxConnectionPools: count().describe("Pools of connections, one for each kind of connection; 0 for no limit"),
  maxPendingRequests: count().describe("Requests that wait for a connection (1024); 0 for no limit"),
  maxRetries: count().describe("Requests that are being tried again at one time (3); 0 for no limit"),
  maxRequests: count().describe("Requests under way at one time (1024); 0 for no limit"),
  retryBudget: z
    .strictObject({
      percentage: percentage().optional().describe("Share of the requests under way that may be retries (20)"),
      minRetries: count().describe("Retries at one time that are allowed however few requests are under way (3)"),
    })
    .optional()
    .describe("Heddle's own, unknown to Kuma: a limit of retries that grows with the traffic, in place of maxRetries"),
});

const consecutive = (what: string) =>
  z.strictObject({ consecutive: z.int().min(1).max(MOST).optional().describe(`${what} in a row (5)`) }).optional();
const atLeastOne = () => z.int().min(1).max(MOST).optional();
const minimumHosts = atLeastOne().describe("Instances that must have had enough requests before any is judged (5)");
const requestVolume = (usual: number) =>
  atLeastOne().describe(`Requests that an instance must have had in an interval to be judged (${usual})`);

const detectorsSchema = z.strictObject({
  totalFailures: consecutive("Failures of every sort").describe("Every failure counts: 5xx, and no answer at all"),
  gatewayFailures: consecutive("Failures of a gateway").describe("502, 503 and 504 count, and no answer at all"),
  localOriginFailures: consecutive("Failed connections").describe(
    "Only what the proxy itself sees counts, such as no connection; needs splitExternalAndLocalErrors",
  ),
  successRate: z
    .strictObject({
      minimumHosts,
      requestVolume: requestVolume(100),
      standardDeviationFactor: z
        .union([
          z.number().min(0).max(999_999),
          z.string().regex(/^\d{1,6}(\.\d{1,6})?$/, 'must be a number such as "1.9"'),
        ])
        .optional()
        .describe("How many standard deviations below the mean an instance may be (1.9)"),
    })
    .optional()
    .describe("Instances that succeed clearly less often than the others"),
  failurePercentage: z
    .strictObject({
      minimumHosts,
      requestVolume: requestVolume(50),
      threshold: z.int().min(0).max(100).optional().describe("Share of failed requests in percent that ejects (85)"),
    })
    .optional()
    .describe("Instances that fail too large a share of their requests"),
});

const outlierSchema = z.strictObject({
  disabled: z.boolean().optional().describe("Switches it off again where a weaker policy set it"),
  interval: duration().optional().describe("Between two looks at ejections and rates (10s)"),
  baseEjectionTime: duration().optional().describe("How long an instance stays out, times how often it was (30s)"),
  maxEjectionPercent: z
    .int()
    .min(0)
    .max(100)
    .optional()
    .describe("Largest share of instances that may be out, in percent; one always may (10)"),
  splitExternalAndLocalErrors: z
    .boolean()
    .optional()
    .describe("Counts what the proxy itself sees, such as no connection, apart from what the instance answers"),
  detectors: detectorsSchema.optional().describe("What ejects an instance"),
  healthyPanicThreshold: percentage()
    .optional()
    .describe("When a smaller share of instances than this is healthy, in percent, all are used again (50)"),
});

const circuitBreakerSchema = z.strictObject({
  connectionLimits: limitsSchema.optional().describe("How much may be under way; what is more gets 503 at once"),
  outlierDetection: outlierSchema.optional().describe("Leaves out instances for a while that fail"),
});
/** What protects a destination and its callers. Durations as written; what is absent is left as it is. */
export type CircuitBreakerConf = z.infer<typeof circuitBreakerSchema>;

const item = z.strictObject({ default: circuitBreakerSchema.describe("The limits and detectors") });
const check = (each: z.infer<typeof item>, field: string) => checkConf(each.default, `${field}.default`);

/** The kind MeshCircuitBreaker. */
export const meshCircuitBreakerKind = policyKind({
  type: "MeshCircuitBreaker",
  path: "meshcircuitbreakers",
  shortName: "mcb",
  singular: "Mesh Circuit Breaker",
  plural: "Mesh Circuit Breakers",
  targets: ["Mesh", "Dataplane", "MeshSubset", "MeshService", "MeshServiceSubset", "MeshGateway"],
  to: { targets: ["Mesh", "MeshService", "MeshExternalService", "MeshMultiZoneService"], item, check },
  from: { targets: ["Mesh"], item, check },
  rules: { matches: false, item, check },
  rulesBesideTo: true,
});

function checkConf({ connectionLimits, outlierDetection }: CircuitBreakerConf, field: string): Violation[] {
  if (connectionLimits === undefined && outlierDetection === undefined) {
    return [{ field, message: "must have connectionLimits or outlierDetection" }];
  }
  return [
    ...checkLimits(connectionLimits, `${field}.connectionLimits`),
    ...checkOutliers(outlierDetection ?? {}, `${field}.outlierDetection`),
  ];
}

function checkLimits(limits: CircuitBreakerConf["connectionLimits"], field: string): Violation[] {
  if (limits === undefined) return [];
  if (isEmpty(limits)) return [{ field, message: "must set at least one limit, such as maxConnections: 100" }];
  if (limits.retryBudget === undefined || limits.maxRetries === undefined) return [];
  return [{ field: `${field}.retryBudget`, message: "must not stand beside maxRetries: it takes its place" }];
}

function checkOutliers(outliers: z.infer<typeof outlierSchema>, field: string): Violation[] {
  const { detectors } = outliers;
  const times = (["interval", "baseEjectionTime"] as const).filter(
    (name) => outliers[name] !== undefined && toMillis(outliers[name]) === 0,
  );
  return [
    ...times.map((name) => ({ field: `${field}.${name}`, message: 'must be more than zero, such as "10s"' })),
    ...(Number(detectors?.successRate?.standardDeviationFactor ?? 1) > 0
      ? []
      : [
          {
            field: `${field}.detectors.successRate.standardDeviationFactor`,
            message: "must be more than zero: with zero everybody below the mean is left out",
          },
        ]),
    ...(detectors !== undefined && isEmpty(detectors)
      ? [{ field: `${field}.detectors`, message: "must have at least one detector, such as totalFailures: {}" }]
      : []),
  ];
}

function isEmpty(fields: object): boolean {
  return Object.values(fields).every((value) => value === undefined);
}
