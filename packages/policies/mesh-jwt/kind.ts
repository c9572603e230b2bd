import { policyKind } from "@heddle/model/policy-kind.ts";
import { checkConf } from "./check.ts";
import { itemSchema } from "./schema.ts";

/** The kind MeshJWT: Heddle's own. */
export const meshJwtKind = policyKind({
  type: "MeshJWT",
  path: "meshjwts",
  shortName: "mjwt",
  singular: "Mesh JWT",
  plural: "Mesh JWTs",
  targets: ["Mesh", "Dataplane"],
  rules: {
    matches: true,
    item: itemSchema,
    check: (each, field) => checkConf(each.default, `${field}.default`),
  },
});
