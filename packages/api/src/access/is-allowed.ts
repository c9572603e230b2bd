import type { AccessAction, AccessRule } from "@heddle/model/kinds/access.ts";
import type { User } from "../ports.ts";
import { fits, type Subject } from "./qualifier.ts";
import { grantsOf, type Rights } from "./rights.ts";

/** What somebody wants to do. */
export interface Question {
  readonly user: User;
  readonly action: AccessAction;
  readonly resource: Target;
}

/** What it would be done to. Absent parts: the action is not about such a thing. */
export interface Target {
  readonly type?: string;
  readonly mesh?: string;
  readonly name?: string;
  /** What `when` is compared with. Not known yet: the answer is what is possible at best. */
  readonly content?: Subject;
}

/** Whether it may be done: through which role, or why not and which roles would do. */
export type Decision =
  | { readonly allowed: true; readonly by: { readonly role: string; readonly binding: string } }
  | { readonly allowed: false; readonly reason: string };

/** Answers by roles alone: what no role of the user grants is denied. */
export function isAllowed(rights: Rights, question: Question): Decision {
  const grants = grantsOf(rights, question.user);
  const grant = grants.find(({ rules }) => rules.some((rule) => grantsIt(rule, question)));
  if (grant !== undefined) return { allowed: true, by: { role: grant.role, binding: grant.binding } };
  return { allowed: false, reason: reasonOf(rights, question, [...new Set(grants.map(({ role }) => role))]) };
}

// Resources carry their type; every other action says by its own name what it is about.
const WRITES: ReadonlySet<AccessAction> = new Set(["CREATE", "UPDATE", "DELETE"]);

function grantsIt(rule: AccessRule, { action, resource }: Question): boolean {
  if (!rule.access.includes(action)) return false;
  if (WRITES.has(action) && !allows(rule.types, resource.type)) return false;
  if (!allows(rule.names, resource.name)) return false;
  if (rule.mesh !== undefined && rule.mesh !== resource.mesh) return false;
  if (rule.when === undefined || rule.when.length === 0 || resource.content === undefined) return true;
  return rule.when.some((qualifier) => fits(qualifier, resource.content as Subject));
}

function allows(list: readonly string[] | undefined, value: string | undefined): boolean {
  return list === undefined || list.length === 0 || (value !== undefined && list.includes(value));
}

const MOST_ROLES = 5;

function reasonOf({ roles }: Rights, question: Question, own: readonly string[]): string {
  const able = roles.filter(({ spec }) => spec.rules.some((rule) => grantsIt(rule, question))).map(({ name }) => name);
  const has = own.length === 0 ? "no AccessRoleBinding names this user" : `no rule of ${listed(own)} grants it`;
  const fix =
    able.length === 0
      ? "no role grants it: write an AccessRole that does"
      : `${listed(able)} would: bind one with an AccessRoleBinding`;
  return `${has}; ${fix}`;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, MOST_ROLES).map((name) => `AccessRole "${name}"`);
  return names.length > MOST_ROLES ? `${shown.join(", ")} and ${names.length - MOST_ROLES} more` : shown.join(", ");
}
