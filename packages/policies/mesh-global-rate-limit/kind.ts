import { checkOutgoing } from "@heddle/model/gateway-only.ts";
import { policyKind } from "@heddle/model/policy-kind.ts";
import { checkConf } from "./check.ts";
import { itemSchema } from "./schema.ts";

/** The kind MeshGlobalRateLimit. */
export const meshGlobalRateLimitKind = policyKind({
  type: "MeshGlobalRateLimit",
  path: "meshglobalratelimits",
  shortName: "mgrl",
  singular: "Mesh Global Rate Limit",
  plural: "Mesh Global Rate Limits",
  targets: ["Mesh", "Dataplane", "MeshSubset", "MeshService", "MeshServiceSubset", "MeshGateway"],
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
    matches: false,
    item: itemSchema,
    check: (each, field) => checkConf(each.default, `${field}.default`),
  },
});
