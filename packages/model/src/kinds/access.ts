import { z } from "zod";
import { defineKind } from "../kind.ts";
import { stringMap } from "../schema.ts";
import { targetRefSchema } from "../target-ref.ts";
import type { Violation } from "../violation.ts";

/**
 * What a role can grant and an audit can record, in Kong Mesh's words (https://developer.konghq.com/mesh/rbac/); ROTATE_CA and
 * ROTATE_ENCRYPTION_KEY are ours.
 */
export const ACCESS_ACTIONS = [
  "CREATE",
  "UPDATE",
  "DELETE",
  "GENERATE_DATAPLANE_TOKEN",
  "GENERATE_USER_TOKEN",
  "GENERATE_ZONE_TOKEN",
  "GENERATE_ZONE_CP_TOKEN",
  "VIEW_CONFIG_DUMP",
  "VIEW_STATS",
  "VIEW_CLUSTERS",
  "VIEW_CONTROL_PLANE_METADATA",
  "ROTATE_CA",
  "ROTATE_ENCRYPTION_KEY",
] as const;
export type AccessAction = (typeof ACCESS_ACTIONS)[number];

const actions = z.array(z.enum(ACCESS_ACTIONS));
const types = z.array(z.string().min(1)).optional();
const name = z.string().min(1).max(1_024);
const tagMatch = z.strictObject({ match: stringMap().describe("Tags; the value * is any") });
const pointer = z.strictObject({ targetRef: targetRefSchema });

const qualifierSchema = z.strictObject({
  targetRef: targetRefSchema.optional().describe("Only policies with this targetRef"),
  to: pointer.optional().describe("Only policies whose every to has this targetRef"),
  from: pointer.optional().describe("Only policies whose every from has this targetRef"),
  sources: tagMatch.optional().describe("Kuma 2.x policies: only these sources"),
  destinations: tagMatch.optional().describe("Kuma 2.x policies: only these destinations"),
  selectors: tagMatch.optional().describe("Kuma 2.x policies: only these selectors"),
  dpToken: z
    .strictObject({ tags: z.array(z.strictObject({ name, value: z.string() })).min(1) })
    .optional()
    .describe("Only dataplane tokens that are bound to these tags"),
});
export type Qualifier = z.infer<typeof qualifierSchema>;

const ruleSchema = z.strictObject({
  types: types.describe("Types of resources that may be written (all, secrets and roles too)"),
  names: z.array(name).optional().describe("Only what has one of these names"),
  mesh: name.optional().describe("Only in this mesh"),
  access: actions.min(1).describe("What may be done"),
  when: z.array(qualifierSchema).optional().describe("Only what fits one of these"),
});
export type AccessRule = z.infer<typeof ruleSchema>;

export const accessRoleSchema = z.strictObject({ rules: z.array(ruleSchema).min(1).describe("What the role grants") });
export type AccessRoleSpec = z.infer<typeof accessRoleSchema>;

const roleBindingSchema = z.strictObject({
  subjects: z
    .array(z.strictObject({ type: z.enum(["User", "Group"]), name }))
    .min(1)
    .describe("Who gets the roles"),
  roles: z.array(name).min(1).describe("Names of AccessRoles"),
});
export type AccessRoleBindingSpec = z.infer<typeof roleBindingSchema>;

const auditSchema = z.strictObject({
  rules: z
    .array(
      z.strictObject({
        types: types.describe("Types of resources (all but what the control plane alone writes)"),
        mesh: name.optional().describe("Only in this mesh"),
        access: actions.optional().describe("What is recorded"),
        accessAll: z.boolean().optional().describe("Everything is recorded, reading of secrets too"),
      }),
    )
    .min(1)
    .describe("What is recorded"),
});
export type AccessAuditSpec = z.infer<typeof auditSchema>;

/** What somebody may do; whom it is given to says AccessRoleBinding. */
export const accessRole = defineKind<AccessRoleSpec>({
  type: "AccessRole",
  path: "access-roles",
  pathAliases: ["accessroles"],
  scope: "Global",
  shape: "core",
  singular: "Access Role",
  plural: "Access Roles",
  schema: accessRoleSchema,
  check: ({ rules }) => rules.flatMap(({ when = [] }, index) => emptyQualifiers(when, `rules[${index}].when`)),
  warn: ({ rules }) => rules.flatMap((rule, index) => warnRule(rule, `rules[${index}]`)),
});

/** Who has which roles. */
export const accessRoleBinding = defineKind<AccessRoleBindingSpec>({
  type: "AccessRoleBinding",
  path: "access-role-bindings",
  pathAliases: ["accessrolebindings"],
  scope: "Global",
  shape: "core",
  singular: "Access Role Binding",
  plural: "Access Role Bindings",
  schema: roleBindingSchema,
});

/** Which calls of the REST API the audit log records. */
export const accessAudit = defineKind<AccessAuditSpec>({
  type: "AccessAudit",
  path: "access-audits",
  pathAliases: ["accessaudits"],
  scope: "Global",
  shape: "core",
  singular: "Access Audit",
  plural: "Access Audits",
  schema: auditSchema,
  check: ({ rules }) =>
    rules.flatMap(({ access, accessAll }, index) =>
      (access === undefined) === (accessAll !== true)
        ? [{ field: `rules[${index}]`, message: "must have either access or accessAll: true" }]
        : [],
    ),
});

function emptyQualifiers(when: readonly Qualifier[], field: string): Violation[] {
  return when.flatMap((qualifier, index) =>
    Object.keys(qualifier).length === 0
      ? [{ field: `${field}[${index}]`, message: "must not be empty: it would fit everything; leave when out instead" }]
      : [],
  );
}

// Actions on the installation as a whole, which a rule for one mesh cannot grant.
const WHOLE: ReadonlySet<AccessAction> = new Set([
  "GENERATE_USER_TOKEN",
  "GENERATE_ZONE_TOKEN",
  "VIEW_CONTROL_PLANE_METADATA",
]);

function warnRule({ access, mesh, types: wanted }: AccessRule, field: string): string[] {
  const lost = mesh === undefined ? [] : access.filter((action) => WHOLE.has(action));
  const everything = (wanted?.length ?? 0) === 0 && access.some((action) => action === "CREATE" || action === "UPDATE");
  return [
    ...(lost.length === 0 ? [] : [`${field}.access: ${lost.join(", ")} has no effect with mesh`]),
    ...(access.includes("GENERATE_ZONE_CP_TOKEN")
      ? [`${field}.access: GENERATE_ZONE_CP_TOKEN has no effect; zones use GENERATE_ZONE_TOKEN`]
      : []),
    ...(everything ? [`${field}.types: is empty, so the rule is for every type, secrets and roles too`] : []),
  ];
}
