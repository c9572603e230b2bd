import type { KindRegistry } from "@heddle/model/kind.ts";
import type { AccessAuditSpec, AccessRoleBindingSpec, AccessRoleSpec } from "@heddle/model/kinds/access.ts";
import { nearest } from "@heddle/model/schema.ts";
import type { Violation } from "@heddle/model/violation.ts";
import { isAllowed } from "../access/is-allowed.ts";
import { type Rights, rightsOf, type Named } from "../access/rights.ts";
import type { Reader, User, Verdict, Write, WriteGuard } from "../ports.ts";
import type { ApiSettings } from "../settings.ts";

/** Checks what roles, bindings and audits name, and tells when they change nothing. */
export function rolesGuard(kinds: KindRegistry, settings: Pick<ApiSettings, "accessType">): WriteGuard {
  return async (write, read) => {
    if (write.operation === "delete") return {};
    const { type, spec } = write.resource;
    switch (type) {
      case "AccessRole":
        return { violations: unknownTypes(kinds, spec as AccessRoleSpec), warnings: withoutEffect(settings) };
      case "AccessAudit":
        return { violations: unknownTypes(kinds, spec as AccessAuditSpec) };
      case "AccessRoleBinding":
        return { warnings: [...withoutEffect(settings), ...(await missingRoles(spec as AccessRoleBindingSpec, read))] };
      default:
        return {};
    }
  };
}

function withoutEffect({ accessType }: Pick<ApiSettings, "accessType">): readonly string[] {
  return accessType === "rbac" ? [] : ["has no effect: access.type of the control plane is static, not rbac"];
}

function unknownTypes(kinds: KindRegistry, { rules }: AccessRoleSpec | AccessAuditSpec): readonly Violation[] {
  const known = kinds.all.map(({ type }) => type);
  return rules.flatMap(({ types = [] }, rule) =>
    types.flatMap((type, index) => {
      if (known.includes(type)) return [];
      const near = nearest(type, known);
      const hint = near === undefined ? "" : `; did you mean ${near}?`;
      return [{ field: `rules[${rule}].types[${index}]`, message: `there is no type "${type}"${hint}` }];
    }),
  );
}

async function missingRoles({ roles }: AccessRoleBindingSpec, read: Reader): Promise<readonly string[]> {
  const found = await Promise.all(roles.map((name) => read.get({ type: "AccessRole", mesh: "", name })));
  return roles.flatMap((name, index) =>
    found[index] === undefined
      ? [`roles[${index}]: there is no AccessRole "${name}" yet; it grants nothing until then`]
      : [],
  );
}

/** Refuses the write by which somebody who administers the roles would lose just that. */
export function lockOutGuard({ accessType }: Pick<ApiSettings, "accessType">, user: User): WriteGuard {
  return async (write, read): Promise<Verdict> => {
    const type = write.previous?.type;
    if (accessType === "static" || (type !== "AccessRole" && type !== "AccessRoleBinding")) return {};
    const roles = await named<AccessRoleSpec>(read, "AccessRole");
    const bindings = await named<AccessRoleBindingSpec>(read, "AccessRoleBinding");
    const before = rightsOf(roles, bindings);
    const after =
      type === "AccessRole" ? rightsOf(changed(roles, write), bindings) : rightsOf(roles, changed(bindings, write));
    if (!administers(before, user) || administers(after, user)) return {};
    const fix =
      "keep a role of yours that may UPDATE AccessRole and AccessRoleBinding, or let another administrator do it";
    return {
      refusal: { status: 409, detail: `Cannot write: you would lose the right to change roles yourself; ${fix}` },
    };
  };
}

async function named<Spec>(read: Reader, type: string): Promise<readonly Named<Spec>[]> {
  const { items } = await read.list({ type });
  return items.map(({ name, spec }) => ({ name, spec: spec as Spec }));
}

function changed<Spec>(all: readonly Named<Spec>[], write: Write): readonly Named<Spec>[] {
  const others = all.filter(({ name }) => name !== write.previous?.name);
  return write.operation === "delete"
    ? others
    : [...others, { name: write.resource.name, spec: write.resource.spec as Spec }];
}

/** Whether a user may change any role and any binding. */
export function administers(rights: Rights, user: User): boolean {
  return ["AccessRole", "AccessRoleBinding"].every(
    (type) => isAllowed(rights, { user, action: "UPDATE", resource: { type } }).allowed,
  );
}
