import { policyKind } from "@heddle/model/policy-kind.ts";
import { checkConf } from "./check.ts";
import { patchSchema } from "./schema.ts";

/** The kind MeshProxyPatch. */
export const meshProxyPatchKind = policyKind({
  type: "MeshProxyPatch",
  path: "meshproxypatches",
  shortName: "mpp",
  singular: "Mesh Proxy Patch",
  plural: "Mesh Proxy Patches",
  targets: ["Mesh", "Dataplane", "MeshSubset", "MeshService", "MeshServiceSubset", "MeshGateway"],
  default: { conf: patchSchema, check: checkConf },
});
