import { policyKind } from "@heddle/model/policy-kind.ts";
import { checkConf } from "./check.ts";
import { confSchema } from "./schema.ts";

/** The kind MeshMetric. */
export const meshMetricKind = policyKind({
  type: "MeshMetric",
  path: "meshmetrics",
  shortName: "mm",
  singular: "Mesh Metric",
  plural: "Mesh Metrics",
  targets: ["Mesh", "Dataplane", "MeshSubset", "MeshService", "MeshServiceSubset", "MeshGateway"],
  default: { conf: confSchema, check: checkConf },
});
