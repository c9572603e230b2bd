import { z } from "zod";
import { toMillis } from "../duration.ts";
import { duration } from "../schema.ts";
import type { Violation } from "../violation.ts";
import { clientSide, compact, compactOrNothing, legacyKind } from "./legacy-kind.ts";
import { checkClientSide, connectionShape } from "./selector.ts";

const count = () => z.int().min(0).max(4_294_967_295).optional();
const errors = (what: string) =>
  z
    .strictObject({ consecutive: z.int().min(1).max(4_294_967_295).optional().describe("How many in a row (5)") })
    .optional()
    .describe(what);
const volume = {
  requestVolume: count().describe("Requests that an instance must have had to be judged (100)"),
  minimumHosts: count().describe("Instances that must have had enough requests (5)"),
};

const detectorsSchema = z.strictObject({
  totalErrors: errors("Failures of every sort"),
  gatewayErrors: errors("502, 503 and 504"),
  localErrors: errors("What the proxy itself sees; with splitExternalAndLocalErrors"),
  standardDeviation: z
    .strictObject({
      ...volume,
      factor: z.number().min(0).optional().describe("Standard deviations below the mean (1.9)"),
    })
    .optional()
    .describe("Instances that succeed clearly less often than the others"),
  failure: z
    .strictObject({ ...volume, threshold: z.int().min(0).max(100).optional().describe("Failed share in percent (85)") })
    .optional()
    .describe("Instances that fail too large a share"),
});
const thresholdsSchema = z.strictObject({
  maxConnections: count().describe("Connections at one time (1024)"),
  maxPendingRequests: count().describe("Requests that wait for a connection (1024)"),
  maxRetries: count().describe("Requests that are being tried again at one time (3)"),
  maxRequests: count().describe("Requests under way at one time (1024)"),
});
const confSchema = z.strictObject({
  interval: duration().optional().describe("Between two looks (10s)"),
  baseEjectionTime: duration().optional().describe("How long an instance stays out, times how often it was (30s)"),
  maxEjectionPercent: z.int().min(0).max(100).optional().describe("Largest share that may be out, in percent (10)"),
  splitExternalAndLocalErrors: z.boolean().optional().describe("Counts what the proxy itself sees apart"),
  detectors: detectorsSchema.optional().describe("What ejects an instance"),
  thresholds: thresholdsSchema.optional().describe("How much may be under way"),
});
type Conf = z.infer<typeof confSchema>;

/** Kuma 2.x: what protects a service and its callers. */
export const circuitBreaker = legacyKind({
  type: "CircuitBreaker",
  path: "circuit-breakers",
  shortName: "cb",
  singular: "Circuit Breaker",
  plural: "Circuit Breakers",
  schema: z.strictObject({ ...connectionShape, conf: confSchema.describe("The limits and detectors") }),
  check: (spec) => [...checkClientSide(spec), ...checkConf(spec.conf)],
  legacy: {
    becomes: ["MeshCircuitBreaker"],
    side: "client",
    choice: "one",
    translate: (spec, { name }) => ({
      policies: clientSide(spec, { name, type: "MeshCircuitBreaker", item: { default: breakersOf(spec.conf) } }),
      notes: [],
    }),
  },
});

function breakersOf({ detectors, thresholds, ...outliers }: Conf): object {
  return compact({
    connectionLimits: thresholds && compactOrNothing(thresholds),
    outlierDetection: detectors && { ...compact(outliers), detectors: detectorsOf(detectors) },
  });
}

function detectorsOf(detectors: NonNullable<Conf["detectors"]>): object {
  const { totalErrors, gatewayErrors, localErrors, standardDeviation, failure } = detectors;
  const { factor, ...spread } = standardDeviation ?? {};
  return compact({
    totalFailures: totalErrors,
    gatewayFailures: gatewayErrors,
    localOriginFailures: localErrors,
    successRate: standardDeviation && compact({ ...spread, standardDeviationFactor: factor }),
    failurePercentage: failure,
  });
}

function checkConf({ detectors, thresholds, interval, baseEjectionTime }: Conf): readonly Violation[] {
  const isEmpty = (part: object | undefined): boolean =>
    part === undefined || Object.values(part).every((value) => value === undefined);
  if (detectors === undefined && thresholds === undefined) {
    return [{ field: "conf", message: "must have at least one of detectors and thresholds" }];
  }
  const empty = Object.entries({ detectors, thresholds }).filter(([, part]) => part !== undefined && isEmpty(part));
  const zero = Object.entries({ interval, baseEjectionTime }).filter(
    ([, value]) => value !== undefined && toMillis(value) === 0,
  );
  return [
    ...empty.map(([name]) => ({ field: `conf.${name}`, message: "must not be empty" })),
    ...zero.map(([name]) => ({ field: `conf.${name}`, message: 'must be more than zero, such as "10s"' })),
  ];
}
