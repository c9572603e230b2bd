import type { User } from "../ports.ts";

const AUTHENTICATED = "mesh-system:authenticated";

/** Who calls from the control plane's own machine. */
export const ADMIN: User = { name: "mesh-system:admin", groups: ["mesh-system:admin", AUTHENTICATED] };

/** Who calls without saying who they are. */
export const ANONYMOUS: User = { name: "mesh-system:anonymous", groups: ["mesh-system:unauthenticated"] };

/** Adds the group that everybody with a checked identity is in. */
export function authenticated(user: User): User {
  return user.groups.includes(AUTHENTICATED) ? user : { ...user, groups: [...user.groups, AUTHENTICATED] };
}

/** Whether nobody vouched for this caller. */
export function isAnonymous(user: User): boolean {
  return !user.groups.includes(AUTHENTICATED);
}

/** "name/group,group", as Kuma shows a user in its refusals. */
export function userText(user: User): string {
  return `${user.name}/${user.groups.join(",")}`;
}
