import { type Named, rightsOf } from "@heddle/api/access/rights.ts";
import { administers } from "@heddle/api/guards/roles.ts";
import { withOwnedLabels, type Place } from "@heddle/api/resources/owned-labels.ts";
import { type Kind } from "@heddle/model/kind.ts";
import {
  ACCESS_ACTIONS,
  accessRole,
  accessRoleBinding,
  type AccessRoleBindingSpec,
  type AccessRoleSpec,
} from "@heddle/model/kinds/access.ts";
import type { Store } from "@heddle/model/store.ts";
import type { Config } from "./config/settings.ts";
import { KINDS } from "./kinds.ts";

const VIEWS = ["VIEW_CONFIG_DUMP", "VIEW_STATS", "VIEW_CLUSTERS", "VIEW_CONTROL_PLANE_METADATA"] as const;
const EVERYBODY = [group("mesh-system:authenticated"), group("mesh-system:unauthenticated")];

/**
 * Makes roles that allow what the lists of `access.type: static` allow, when access goes by roles and nobody has bound
 * one: turning roles on changes nothing until an operator narrows them. Where roles are bound and nobody may change them,
 * only the administrators get theirs.
 */
export async function createDefaultRoles(
  store: Store,
  place: Place,
  { accessType, anonymousWrites, adminUsers, adminGroups, configDumpGroups }: Config,
): Promise<void> {
  if (accessType !== "rbac" || (await someoneAdministers(store))) return;
  const isNew = (await store.list({ type: accessRoleBinding.type, size: 1 })).total === 0;
  const create = async (kind: Kind, name: string, spec: unknown): Promise<void> => {
    const labelled = withOwnedLabels(kind, { type: kind.type, mesh: "", name, labels: {}, spec }, place);
    if (labelled.ok && (await store.get(labelled.value)) === undefined) await store.create(labelled.value);
  };
  const role = async (name: string, rules: AccessRoleSpec["rules"]): Promise<void> =>
    await create(accessRole as Kind, name, { rules });
  const binding = async (name: string, roleName: string, subjects: AccessRoleBindingSpec["subjects"]): Promise<void> =>
    await create(accessRoleBinding as Kind, name, { subjects, roles: [roleName] });

  await role("admin", [{ access: ACCESS_ACTIONS.filter((action) => action !== "GENERATE_ZONE_CP_TOKEN") }]);
  if (isNew) {
    await role("editor", [{ types: plainTypes(), access: ["CREATE", "UPDATE", "DELETE"] }]);
    await role("viewer", [{ access: VIEWS.filter((action) => action !== "VIEW_CONFIG_DUMP") }]);
    await role("config-dump-viewer", [{ access: ["VIEW_CONFIG_DUMP"] }]);
    await binding("config-dump-viewers", "config-dump-viewer", configDumpGroups.map(group));
    await binding("viewers", "viewer", EVERYBODY);
    await binding("editors", "editor", anonymousWrites ? EVERYBODY : EVERYBODY.slice(0, 1));
  }
  // Last: a start that was cut off before it is gone through again.
  await binding("default", "admin", [...adminUsers.map(user), ...adminGroups.map(group)]);
}

/** Whether some user or group may change roles. Where nobody may, roles would lock everybody out. */
async function someoneAdministers(store: Store): Promise<boolean> {
  const roles = await namedResources<AccessRoleSpec>(store, accessRole.type);
  const rights = rightsOf(roles, await namedResources<AccessRoleBindingSpec>(store, accessRoleBinding.type));
  return [...rights.bySubject.keys()].some((subject) => {
    const [type, name] = [subject.slice(0, subject.indexOf("/")), subject.slice(subject.indexOf("/") + 1)];
    return administers(rights, type === "User" ? { name, groups: [] } : { name: "", groups: [name] });
  });
}

async function namedResources<Spec>(store: Store, type: string): Promise<readonly Named<Spec>[]> {
  const { items } = await store.list({ type });
  return items.map(({ name, spec }) => ({ name, spec: spec as Spec }));
}

/** What everybody with an identity may write by the lists: all but secrets, and the roles themselves. */
function plainTypes(): string[] {
  return KINDS.all
    .filter((kind) => kind.readOnly !== true && kind.secret !== true && !kind.type.startsWith("Access"))
    .map(({ type }) => type);
}

function group(name: string): { type: "Group"; name: string } {
  return { type: "Group", name };
}

function user(name: string): { type: "User"; name: string } {
  return { type: "User", name };
}
