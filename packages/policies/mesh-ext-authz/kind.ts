import { policyKind } from "@heddle/model/policy-kind.ts";
import { checkConf, warnConf } from "./check.ts";
import { itemSchema } from "./schema.ts";

/** The kind MeshExtAuthz: Heddle's own. */
export const meshExtAuthzKind = policyKind({
  type: "MeshExtAuthz",
  path: "meshextauthzs",
  shortName: "mea",
  singular: "Mesh Ext Authz",
  plural: "Mesh Ext Authzs",
  targets: ["Mesh", "Dataplane"],
  rules: {
    matches: true,
    item: itemSchema,
    check: (each, field) => checkConf(each.default, `${field}.default`),
    warn: (each, field) => warnConf(each.default, each.matches ?? [], `${field}.default`),
  },
});
