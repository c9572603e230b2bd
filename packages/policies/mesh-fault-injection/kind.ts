import { checkOutgoing } from "@heddle/model/gateway-only.ts";
import { policyKind } from "@heddle/model/policy-kind.ts";
import { checkFaults } from "./check.ts";
import { itemSchema } from "./schema.ts";

/** The kind MeshFaultInjection. */
export const meshFaultInjectionKind = policyKind({
  type: "MeshFaultInjection",
  path: "meshfaultinjections",
  shortName: "mfi",
  singular: "Mesh Fault Injection",
  plural: "Mesh Fault Injections",
  targets: ["Mesh", "Dataplane", "MeshSubset", "MeshService", "MeshServiceSubset", "MeshGateway"],
  to: {
    targets: ["Mesh"],
    item: itemSchema,
    check: (each, field, top) => [...checkOutgoing(field, top), ...checkFaults(each.default, `${field}.default`)],
  },
  from: {
    targets: ["Mesh", "MeshSubset", "MeshService", "MeshServiceSubset"],
    item: itemSchema,
    check: (each, field) => checkFaults(each.default, `${field}.default`),
  },
  rules: {
    matches: true,
    item: itemSchema,
    check: (each, field, top) => [
      ...(top.kind === "MeshGateway"
        ? [{ field, message: "must not be set when targetRef.kind is MeshGateway: it takes to" }]
        : []),
      ...checkFaults(each.default, `${field}.default`),
    ],
  },
  under: { MeshGateway: { from: [] } },
});
