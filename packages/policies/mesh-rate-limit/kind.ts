import { checkOutgoing } from "@heddle/model/gateway-only.ts";
import { policyKind } from "@heddle/model/policy-kind.ts";
import { checkCallersConf, checkConf } from "./check.ts";
import { itemSchema } from "./schema.ts";

/** The kind MeshRateLimit. */
export const meshRateLimitKind = policyKind({
  type: "MeshRateLimit",
  path: "meshratelimits",
  shortName: "mrl",
  singular: "Mesh Rate Limit",
  plural: "Mesh Rate Limits",
  targets: ["Mesh", "Dataplane", "MeshSubset", "MeshService", "MeshServiceSubset", "MeshGateway", "MeshHTTPRoute"],
  to: {
    targets: ["Mesh"],
    item: itemSchema,
    check: (each, field, top) => [...checkOutgoing(field, top), ...checkConf(each.default, `${field}.default`)],
  },
  from: {
    targets: ["Mesh"],
    item: itemSchema,
    check: (each, field) => checkConf(each.default, `${field}.default`),
  },
  rules: {
    matches: true,
    item: itemSchema,
    check: (each, field, top) => [
      ...checkConf(each.default, `${field}.default`),
      ...checkCallersConf(each.default, each.matches ?? [], field, top),
    ],
  },
  under: { MeshGateway: { from: [] }, MeshHTTPRoute: { from: [] } },
});
