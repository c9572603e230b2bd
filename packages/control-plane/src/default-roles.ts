import { type Named, rightsOf } from "@heddle/api/access/rights.ts";
import { administers } from "@heddle/api/guards/roles.ts";
import { withOwnedLabels, type Place } from "@heddle/api/resources/owned-labels.ts";
import { type AccessList, type Action, DEFAULT_SETTINGS } from "@heddle/api/settings.ts";
import { type Kind } from "@heddle/model/kind.ts";
import {
  ACCESS_ACTIONS,
  type AccessAction,
  accessRole,
  accessRoleBinding,
  type AccessRoleBindingSpec,
  type AccessRoleSpec,
} from "@heddle/model/kinds/access.ts";
import type { Store } from "@heddle/model/store.ts";
import type { Config } from "./config/settings.ts";
import { KINDS } from "./kinds.ts";
import { staticAccess } from "./static-access.ts";

const AUTHENTICATED = group("mesh-system:authenticated");
const EVERYBODY = [AUTHENTICATED, group("mesh-system:unauthenticated")];

/** The right that each list of static access grants, and the role for it when the list is not that of its group. */
const LISTED = [
  { list: "viewConfigDump", grants: "VIEW_CONFIG_DUMP", role: "config-dump-viewer" },
  { list: "viewStats", grants: "VIEW_STATS", role: "stats-viewer" },
  { list: "viewClusters", grants: "VIEW_CLUSTERS", role: "clusters-viewer" },
  { list: "controlPlaneMetadata", grants: "VIEW_CONTROL_PLANE_METADATA", role: "metadata-viewer" },
  { list: "generateDpToken", grants: "GENERATE_DATAPLANE_TOKEN", role: "dataplane-token-issuer" },
  { list: "generateUserToken", grants: "GENERATE_USER_TOKEN", role: "user-token-issuer" },
  { list: "generateZoneToken", grants: "GENERATE_ZONE_TOKEN", role: "zone-token-issuer" },
  { list: "rotateCa", grants: "ROTATE_CA", role: "ca-rotator" },
  { list: "rotateEncryptionKey", grants: "ROTATE_ENCRYPTION_KEY", role: "encryption-key-rotator" },
] as const satisfies readonly { readonly list: Action; readonly grants: AccessAction; readonly role: string }[];
const VIEWER = ["viewStats", "viewClusters", "controlPlaneMetadata"] as const;

/**
 * Makes roles that allow what the lists of `access.type: static` allow, when access goes by roles and nobody has bound
 * one: turning roles on changes nothing until an operator narrows them. Where roles are bound and nobody may change them,
 * only the administrators get theirs.
 */
export async function createDefaultRoles(store: Store, place: Place, config: Config): Promise<void> {
  const { accessType, anonymousWrites } = config;
  if (accessType !== "rbac" || (await someoneAdministers(store))) return;
  const isNew = (await store.list({ type: accessRoleBinding.type, size: 1 })).total === 0;
  const create = async (kind: Kind, name: string, spec: unknown): Promise<void> => {
    const labelled = withOwnedLabels(kind, { type: kind.type, mesh: "", name, labels: {}, spec }, place);
    if (labelled.ok && (await store.get(labelled.value)) === undefined) await store.create(labelled.value);
  };
  const role = async (name: string, rules: AccessRoleSpec["rules"]): Promise<void> =>
    await create(accessRole as Kind, name, { rules });
  const binding = async (
    name: string,
    roleName: string,
    subjects: AccessRoleBindingSpec["subjects"],
  ): Promise<void> => {
    if (subjects.length > 0) await create(accessRoleBinding as Kind, name, { subjects, roles: [roleName] });
  };
  const access = staticAccess(config);

  await role("admin", [{ access: ACCESS_ACTIONS.filter((action) => action !== "GENERATE_ZONE_CP_TOKEN") }]);
  if (isNew) {
    await role("editor", [{ types: plainTypes(), access: ["CREATE", "UPDATE", "DELETE"] }]);
    await role("viewer", [{ access: LISTED.filter(({ list }) => isIn(VIEWER, list)).map(({ grants }) => grants) }]);
    for (const { list, grants, role: name } of LISTED.filter((each) => hasOwnRole(each.list, access))) {
      await role(name, [{ access: [grants] }]);
      await binding(`${name}s`, name, subjectsOf(access[list]));
    }
    if (!VIEWER.some((list) => hasOwnRole(list, access))) await binding("viewers", "viewer", EVERYBODY);
    await binding("editors", "editor", anonymousWrites ? EVERYBODY : [AUTHENTICATED]);
  }
  // Last: a start that was cut off before it is gone through again.
  await binding("default", "admin", subjectsOf(access.adminResources));
}

/**
 * Whether a list needs a role of its own: dumps always had one, what everybody may view is the role `viewer` unless one
 * of its lists was changed, and administrators may issue tokens anyway.
 */
function hasOwnRole(list: Action, access: Readonly<Record<Action, AccessList>>): boolean {
  if (list === "viewConfigDump") return true;
  if (!isIn(VIEWER, list)) return !sameList(access[list], access.adminResources);
  return VIEWER.some((each) => !sameList(access[each], DEFAULT_SETTINGS.access[each]));
}

function isIn(lists: readonly Action[], list: Action): boolean {
  return lists.includes(list);
}

function sameList(one: AccessList, other: AccessList): boolean {
  return JSON.stringify([one.users, one.groups]) === JSON.stringify([other.users, other.groups]);
}

function subjectsOf({ users, groups }: AccessList): AccessRoleBindingSpec["subjects"] {
  return [...users.map(user), ...groups.map(group)];
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
