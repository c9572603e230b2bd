import { policyKind } from "@heddle/model/policy-kind.ts";
import { checkMatch, matchSchema } from "@heddle/model/target-ref.ts";
import type { Violation } from "@heddle/model/violation.ts";
import { z } from "zod";

const LISTS = ["allow", "deny", "allowWithShadowDeny"] as const;

export const permissionSchema = z.strictObject({
  allow: z.array(matchSchema).optional().describe("Callers that may"),
  deny: z.array(matchSchema).optional().describe("Callers that may not, whatever else allows them"),
  allowWithShadowDeny: z
    .array(matchSchema)
    .optional()
    .describe("Callers that may, and that are counted and logged as if they were denied: to try a denial out"),
});
/** Who may call, by what the caller's certificate and its connection say. */
export type PermissionConf = z.infer<typeof permissionSchema>;

export const actionSchema = z.strictObject({
  action: z.enum(["Allow", "Deny", "AllowWithShadowDeny"]).describe("What becomes of requests of these callers"),
});
/** Kuma 2.x: what becomes of the requests of one group of callers. */
export type ActionConf = z.infer<typeof actionSchema>;

/** The kind MeshTrafficPermission. */
export const meshTrafficPermissionKind = policyKind({
  type: "MeshTrafficPermission",
  path: "meshtrafficpermissions",
  shortName: "mtp",
  singular: "Mesh Traffic Permission",
  plural: "Mesh Traffic Permissions",
  targets: ["Mesh", "Dataplane", "MeshSubset", "MeshService", "MeshServiceSubset"],
  from: {
    targets: ["Mesh", "MeshSubset", "MeshService", "MeshServiceSubset"],
    item: z.strictObject({ default: actionSchema.describe("What becomes of them") }),
  },
  rules: {
    matches: false,
    item: z.strictObject({ default: permissionSchema.describe("Who may, who may not") }),
    check: (rule, field) => checkPermission(rule.default, `${field}.default`),
  },
});

function checkPermission(conf: PermissionConf, field: string): Violation[] {
  if (LISTS.every((list) => (conf[list]?.length ?? 0) === 0)) {
    return [{ field, message: `must have a caller in one of ${LISTS.join(", ")}` }];
  }
  return LISTS.flatMap((list) =>
    (conf[list] ?? []).flatMap((match, index) => checkMatch(match, `${field}.${list}[${index}]`)),
  );
}
