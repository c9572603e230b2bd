import { policyKind } from "@heddle/model/policy-kind.ts";
import { z } from "zod";
import { checkConf } from "./check.ts";
import { strategySchema } from "./schema.ts";

/** The kind MeshLoadBalancingStrategy. */
export const meshLoadBalancingStrategyKind = policyKind({
  type: "MeshLoadBalancingStrategy",
  path: "meshloadbalancingstrategies",
  shortName: "mlbs",
  singular: "Mesh Load Balancing Strategy",
  plural: "Mesh Load Balancing Strategies",
  targets: ["Mesh", "Dataplane", "MeshSubset", "MeshService", "MeshServiceSubset", "MeshGateway"],
  to: {
    targets: ["Mesh", "MeshService", "MeshExternalService", "MeshMultiZoneService", "MeshHTTPRoute"],
    item: z.strictObject({ default: strategySchema.describe("How instances are picked") }),
    check: (each, field, top) => checkConf(each.default, { field, to: each.targetRef, top }),
  },
  under: { MeshGateway: { to: ["Mesh", "MeshService", "MeshMultiZoneService"] } },
});
