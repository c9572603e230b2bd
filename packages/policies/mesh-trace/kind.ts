import { policyKind } from "@heddle/model/policy-kind.ts";
import { checkConf } from "./check.ts";
import { confSchema } from "./schema.ts";

/** The kind MeshTrace. */
export const meshTraceKind = policyKind({
  type: "MeshTrace",
  path: "meshtraces",
  shortName: "mtr",
  singular: "Mesh Trace",
  plural: "Mesh Traces",
  targets: ["Mesh", "Dataplane", "MeshSubset", "MeshService", "MeshServiceSubset", "MeshGateway"],
  default: { conf: confSchema, check: checkConf },
});
