import { policyKind } from "@heddle/model/policy-kind.ts";
import { checkConf } from "./check.ts";
import { confSchema } from "./schema.ts";

/** The kind MeshOPA, as Kong Mesh has it. */
export const meshOpaKind = policyKind({
  type: "MeshOPA",
  path: "meshopas",
  shortName: "mopa",
  singular: "Mesh OPA",
  plural: "Mesh OPAs",
  targets: ["Mesh", "Dataplane", "MeshSubset", "MeshService", "MeshServiceSubset", "MeshGateway"],
  default: { conf: confSchema, check: checkConf },
});
