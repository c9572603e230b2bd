import type { AccessRoleBindingSpec, AccessRoleSpec, AccessRule } from "@heddle/model/kinds/access.ts";
import type { User } from "../ports.ts";

/** A role or a binding by its name. */
export interface Named<Spec> {
  readonly name: string;
  readonly spec: Spec;
}
export type Role = Named<AccessRoleSpec>;
export type Binding = Named<AccessRoleBindingSpec>;

/** A role that somebody has, and why. */
export interface Grant {
  readonly role: string;
  readonly binding: string;
  readonly rules: readonly AccessRule[];
}

/** Roles and bindings, arranged so that a question costs two or three look-ups. */
export interface Rights {
  readonly roles: readonly Role[];
  readonly bySubject: ReadonlyMap<string, readonly Grant[]>;
}

/** Arranges roles and bindings. A binding to a role that is not there grants nothing. */
export function rightsOf(roles: readonly Role[], bindings: readonly Binding[]): Rights {
  const known = new Map(roles.map((role) => [role.name, role]));
  const bySubject = new Map<string, Grant[]>();
  for (const binding of bindings) {
    const grants = binding.spec.roles.flatMap((name): Grant[] => {
      const role = known.get(name);
      return role === undefined ? [] : [{ role: name, binding: binding.name, rules: role.spec.rules }];
    });
    for (const { type, name } of binding.spec.subjects) {
      const subject = `${type}/${name}`;
      bySubject.set(subject, [...(bySubject.get(subject) ?? []), ...grants]);
    }
  }
  return { roles, bySubject };
}

/** The roles that a user has, by name or by a group. */
export function grantsOf({ bySubject }: Rights, { name, groups }: User): readonly Grant[] {
  return [`User/${name}`, ...groups.map((group) => `Group/${group}`)].flatMap(
    (subject) => bySubject.get(subject) ?? [],
  );
}
