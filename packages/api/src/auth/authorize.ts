import type { User } from "../ports.ts";
import type { Action, ApiSettings } from "../settings.ts";
import { isAnonymous, userText } from "./users.ts";

/** What a route asks of its caller: "open" skips even authentication, "write" asks for an identity. */
export type Need = "open" | "read" | "write" | Action;

const WHAT: Readonly<Record<Action, string>> = {
  adminResources: "access secrets",
  generateDpToken: "generate data plane tokens",
  generateUserToken: "generate user tokens",
  generateZoneToken: "generate zone tokens",
  viewConfigDump: "view the configuration of proxies",
  viewStats: "view the statistics of proxies",
  viewClusters: "view the clusters of proxies",
  controlPlaneMetadata: "view the configuration of the control plane",
  rotateCa: "rotate certificate authorities",
  rotateEncryptionKey: "rotate the encryption key of the store",
};

/** Why this user may not do that, or undefined when they may. */
export function refusalOf(user: User, need: Need, settings: ApiSettings): string | undefined {
  if (need === "open" || need === "read") return undefined;
  if (need === "write") return settings.anonymousWrites || !isAnonymous(user) ? undefined : anonymousWrite(user);
  const { users, groups } = settings.access[need];
  if (users.includes(user.name) || user.groups.some((group) => groups.includes(group))) return undefined;
  return `user "${userText(user)}" cannot ${WHAT[need]}: access.static.${need} allows ${allowed(users, groups)}${hint(user)}`;
}

function anonymousWrite(user: User): string {
  return `user "${userText(user)}" cannot write resources: apiServer.authn.anonymousWrites is false${hint(user)}`;
}

function allowed(users: readonly string[], groups: readonly string[]): string {
  const names = [...users.map((name) => `user ${name}`), ...groups.map((name) => `group ${name}`)];
  return names.length === 0 ? "nobody" : names.join(", ");
}

function hint(user: User): string {
  return isAnonymous(user)
    ? "; send a user token (authorization: Bearer ...), or call from the control plane's machine"
    : "";
}
