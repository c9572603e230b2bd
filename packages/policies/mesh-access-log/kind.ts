import { policyKind } from "@heddle/model/policy-kind.ts";
import { checkConf } from "./check.ts";
import { itemSchema } from "./schema.ts";

/** The kind MeshAccessLog. */
export const meshAccessLogKind = policyKind({
  type: "MeshAccessLog",
  path: "meshaccesslogs",
  shortName: "mal",
  singular: "Mesh Access Log",
  plural: "Mesh Access Logs",
  targets: ["Mesh", "Dataplane", "MeshSubset", "MeshService", "MeshServiceSubset", "MeshGateway"],
  to: {
    targets: ["Mesh", "MeshService", "MeshExternalService", "MeshMultiZoneService", "MeshHTTPRoute"],
    item: itemSchema,
    check: (each, field) => checkConf(each.default, `${field}.default`),
  },
  from: {
    targets: ["Mesh"],
    item: itemSchema,
    check: (each, field) => checkConf(each.default, `${field}.default`),
  },
  rules: {
    matches: true,
    item: itemSchema,
    check: (each, field) => checkConf(each.default, `${field}.default`),
  },
  under: { MeshGateway: { to: ["Mesh"] } },
});
